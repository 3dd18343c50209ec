using System.Collections.Concurrent;
using System.Collections.Frozen;
using Grpc.Core;
using Grpc.Net.Client.Calls;
using Grpc.Net.Compression;
using Grpc.Net.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Grpc.Net.Client;

/// <summary>Calls to one address over HTTP/2. Connections are made when calls need them and shared by all.</summary>
public sealed class GrpcChannel : ChannelBase, IDisposable
{
    private readonly Lock gate = new();
    private readonly HashSet<IDisposable> activeCalls = [];
    private readonly ConcurrentDictionary<string, Uri> methodUris = new(StringComparer.Ordinal);
    private readonly bool disposeInvoker;
    private bool disposed;

    private GrpcChannel(Uri address, GrpcChannelOptions options)
        : base(address.Authority)
    {
        if (options is { HttpClient: not null, HttpHandler: not null })
        {
            throw new ArgumentException(
                $"{nameof(options.HttpClient)} and {nameof(options.HttpHandler)} have been configured. Only one HTTP caller can be specified.");
        }

        Address = address;
        Invoker = options.HttpClient
            ?? new HttpMessageInvoker(
                options.HttpHandler ?? new SocketsHttpHandler { EnableMultipleHttp2Connections = true, AllowAutoRedirect = false },
                disposeHandler: options.HttpHandler is null || options.DisposeHttpClient);
        disposeInvoker = options.HttpClient is null || options.DisposeHttpClient;
        MaxReceiveMessageSize = options.MaxReceiveMessageSize;
        MaxSendMessageSize = options.MaxSendMessageSize;
        ThrowOperationCanceled = options.ThrowOperationCanceledOnCancellation;
        HttpVersion = options.HttpVersion ?? System.Net.HttpVersion.Version20;
        // Over plain text there is no negotiation: only the exact version makes it speak HTTP/2 at once.
        HttpVersionPolicy = options.HttpVersionPolicy ?? System.Net.Http.HttpVersionPolicy.RequestVersionExact;
        Plans = new AttemptPlans(options.ServiceConfig, options.MaxRetryAttempts);
        InitialReconnectBackoff = options.InitialReconnectBackoff;
        MaxReconnectBackoff = options.MaxReconnectBackoff ?? TimeSpan.MaxValue;
        var loggers = options.LoggerFactory
            ?? (ILoggerFactory?)options.ServiceProvider?.GetService(typeof(ILoggerFactory))
            ?? NullLoggerFactory.Instance;
        Logger = loggers.CreateLogger("Grpc.Net.Client.Internal.GrpcCall");

        var providers = (options.CompressionProviders ?? [.. MessageCompression.Defaults])
            .ToDictionary(p => p.EncodingName, StringComparer.Ordinal);
        CompressionProviders = providers.ToFrozenDictionary(StringComparer.Ordinal);
        AcceptEncoding = string.Join(',', providers.Keys.Prepend(GrpcHeaders.Identity));

        var isSecureAddress = address.Scheme == Uri.UriSchemeHttps;
        var credentials = ChannelCredentialsReader.Read(options.Credentials);
        if (credentials.IsSecure is { } secure && secure != isSecureAddress)
        {
            throw new InvalidOperationException(
                $"Channel is configured with {(secure ? "secure" : "insecure")} channel credentials and can't use a HttpClient with a '{address.Scheme}' scheme.");
        }

        CallCredentials = credentials.CallCredentials;
        SendsCallCredentials = isSecureAddress || options.UnsafeUseInsecureChannelCallCredentials;
    }

    internal Uri Address { get; }

    internal HttpMessageInvoker Invoker { get; }

    internal int? MaxReceiveMessageSize { get; }

    internal int? MaxSendMessageSize { get; }

    internal bool ThrowOperationCanceled { get; }

    internal Version HttpVersion { get; }

    internal HttpVersionPolicy HttpVersionPolicy { get; }

    internal AttemptPlans Plans { get; }

    internal TimeSpan InitialReconnectBackoff { get; }

    internal TimeSpan MaxReconnectBackoff { get; }

    internal ILogger Logger { get; }

    internal FrozenDictionary<string, ICompressionProvider> CompressionProviders { get; }

    internal string AcceptEncoding { get; }

    internal IReadOnlyList<CallCredentials> CallCredentials { get; }

    internal bool SendsCallCredentials { get; }

    public static GrpcChannel ForAddress(string address) => ForAddress(address, new GrpcChannelOptions());

    public static GrpcChannel ForAddress(string address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        return ForAddress(new Uri(address), channelOptions);
    }

    public static GrpcChannel ForAddress(Uri address) => ForAddress(address, new GrpcChannelOptions());

    /// <exception cref="InvalidOperationException">The scheme is neither http nor https, or contradicts the credentials.</exception>
    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(channelOptions);
        if (!address.IsAbsoluteUri)
        {
            throw new ArgumentException($"The address '{address}' is no absolute URI.", nameof(address));
        }

        if (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps)
        {
            throw new InvalidOperationException($"No address resolver configured for the scheme '{address.Scheme}'.");
        }

        return new GrpcChannel(address, channelOptions);
    }

    public override CallInvoker CreateCallInvoker()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        return new HttpClientCallInvoker(this);
    }

    /// <summary>Cancels the calls that still run.</summary>
    public void Dispose()
    {
        IDisposable[] calls;
        lock (gate)
        {
            if (disposed)
            {
                return;
            }

            disposed = true;
            calls = [.. activeCalls];
            activeCalls.Clear();
        }

        foreach (var call in calls)
        {
            call.Dispose();
        }

        if (disposeInvoker)
        {
            Invoker.Dispose();
        }
    }

    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }

    internal Uri UriOf(IMethod method) =>
        methodUris.GetOrAdd(method.FullName, static (path, address) => new Uri(address, path), Address);

    internal void Register(IDisposable call)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            activeCalls.Add(call);
        }
    }

    internal void Unregister(IDisposable call)
    {
        lock (gate)
        {
            activeCalls.Remove(call);
        }
    }
}
