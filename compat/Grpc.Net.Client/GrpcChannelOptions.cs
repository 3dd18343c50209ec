using Grpc.Core;
using Grpc.Net.Client.Configuration;
using Grpc.Net.Compression;
using Microsoft.Extensions.Logging;

namespace Grpc.Net.Client;

/// <summary>Options of a channel.</summary>
public sealed class GrpcChannelOptions
{
    private const int DefaultMaxRetryAttempts = 5;
    private const int DefaultMaxReceiveMessageSize = 4 * 1024 * 1024;

    /// <summary>Null for insecure or TLS by the scheme of the address.</summary>
    public ChannelCredentials? Credentials { get; set; }

    /// <summary>Bytes; null for no limit, the default.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>Bytes; null for no limit. 4 MiB unless set.</summary>
    public int? MaxReceiveMessageSize { get; set; } = DefaultMaxReceiveMessageSize;

    /// <summary>gzip and deflate unless set.</summary>
    public IList<ICompressionProvider>? CompressionProviders { get; set; }

    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>Where the logger factory comes from if none is set.</summary>
    public IServiceProvider? ServiceProvider { get; set; }

    /// <summary>What calls are sent by; either this or <see cref="HttpHandler"/>.</summary>
    public HttpClient? HttpClient { get; set; }

    /// <summary>What calls are sent by; either this or <see cref="HttpClient"/>.</summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>The channel disposes the client or handler given here. Its own it always disposes.</summary>
    public bool DisposeHttpClient { get; set; }

    /// <summary>Calls that are cancelled, or whose deadline passes, throw OperationCanceledException instead of RpcException.</summary>
    public bool ThrowOperationCanceledOnCancellation { get; set; }

    /// <summary>Sends call credentials even where the channel is not secure.</summary>
    public bool UnsafeUseInsecureChannelCallCredentials { get; set; }

    /// <summary>2.0 unless set.</summary>
    public Version? HttpVersion { get; set; }

    public HttpVersionPolicy? HttpVersionPolicy { get; set; }

    /// <summary>Retries and hedging of unary calls. None unless set.</summary>
    public ServiceConfig? ServiceConfig { get; set; }

    /// <summary>The most attempts that a policy gets; null for no bound.</summary>
    public int? MaxRetryAttempts { get; set; } = DefaultMaxRetryAttempts;

    /// <summary>How long a call that waits for a connection pauses after the first failure; the pause then doubles.</summary>
    public TimeSpan InitialReconnectBackoff { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest such pause; null for no bound.</summary>
    public TimeSpan? MaxReconnectBackoff { get; set; } = TimeSpan.FromSeconds(120);
}
