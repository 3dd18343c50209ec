using Grpc.Core;

namespace Grpc.Net.Client.Calls;

/// <summary>What channel credentials say.</summary>
internal sealed class ChannelCredentialsReader : ChannelCredentialsConfiguratorBase
{
    /// <summary>Null where nothing was said.</summary>
    public bool? IsSecure { get; private set; }

    public List<CallCredentials> CallCredentials { get; } = [];

    public static ChannelCredentialsReader Read(ChannelCredentials? credentials)
    {
        var reader = new ChannelCredentialsReader();
        credentials?.InternalPopulateConfiguration(reader, null);
        return reader;
    }

    public override void SetInsecureCredentials(object? state) => IsSecure = false;

    public override void SetSslCredentials(
        object? state, string? rootCertificates, KeyCertificatePair? keyCertificatePair, VerifyPeerCallback? verifyPeerCallback)
    {
        if (!string.IsNullOrEmpty(rootCertificates) || keyCertificatePair is not null || verifyPeerCallback is not null)
        {
            throw new InvalidOperationException(
                $"{nameof(SslCredentials)} with non-null arguments is not supported by {nameof(GrpcChannel)}. " +
                $"{nameof(GrpcChannel)} uses HttpClient to make gRPC calls and HttpClient automatically loads root certificates " +
                "from the operating system certificate store. Client certificates should be configured on HttpClient.");
        }

        IsSecure = true;
    }

    public override void SetCompositeCredentials(
        object? state, ChannelCredentials channelCredentials, CallCredentials callCredentials)
    {
        channelCredentials.InternalPopulateConfiguration(this, state);
        CallCredentials.Add(callCredentials);
    }
}

/// <summary>Runs call credentials for one call.</summary>
internal sealed class CallCredentialsReader : CallCredentialsConfiguratorBase
{
    private readonly List<AsyncAuthInterceptor> interceptors = [];

    public static async Task AddHeadersAsync(
        IEnumerable<CallCredentials> credentials, AuthInterceptorContext context, Metadata headers)
    {
        var reader = new CallCredentialsReader();
        foreach (var item in credentials)
        {
            item.InternalPopulateConfiguration(reader, null);
        }

        foreach (var interceptor in reader.interceptors)
        {
            await interceptor(context, headers).ConfigureAwait(false);
        }
    }

    public override void SetAsyncAuthInterceptorCredentials(object? state, AsyncAuthInterceptor interceptor) =>
        interceptors.Add(interceptor);

    public override void SetCompositeCredentials(object? state, IReadOnlyList<CallCredentials> credentials)
    {
        foreach (var item in credentials)
        {
            item.InternalPopulateConfiguration(this, state);
        }
    }
}
