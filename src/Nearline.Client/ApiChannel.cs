using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Client;

/// <summary>Makes a channel as the options say.</summary>
internal static class ApiChannel
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PongWithin = TimeSpan.FromSeconds(10);

    // Short, since the deadline is: a second attempt must still have time to be answered.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(50);

    public static GrpcChannel Open(NearlineClientOptions options) => GrpcChannel.ForAddress(
        options.Address!,
        new GrpcChannelOptions
        {
            HttpHandler = Handler(options),
            DisposeHttpClient = true,
            ServiceConfig = Config(options),
        });

    private static SocketsHttpHandler Handler(NearlineClientOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = options.ConnectionLifetime,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAlivePingDelay = PingAfter,
            KeepAlivePingTimeout = PongWithin,
        };
        if (options.CaFile is { } authorities)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.ImportFromPemFile(authorities);
            handler.SslOptions.CertificateChainPolicy = policy;
        }

        if (options is { CertificateFile: { } certificate, KeyFile: { } key })
        {
            // For every connection anew: a certificate that was renewed is shown from the next one on.
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => X509Certificate2.CreateFromPemFile(certificate, key);
        }

        return handler;
    }

    private static ServiceConfig Config(NearlineClientOptions options)
    {
        var config = new ServiceConfig { RetryThrottling = new RetryThrottlingPolicy { MaxTokens = 10, TokenRatio = 0.1 } };
        var service = CandidateService.Descriptor.FullName;
        if (options.MaxAttempts > 1)
        {
            config.MethodConfigs.Add(new MethodConfig
            {
                Names = { new MethodName { Service = service } },
                RetryPolicy = new RetryPolicy
                {
                    MaxAttempts = options.MaxAttempts,
                    InitialBackoff = FirstPause,
                    MaxBackoff = LongestPause,
                    BackoffMultiplier = 2,
                    RetryableStatusCodes = { StatusCode.Unavailable },
                },
            });
        }

        if (options.HedgeAfter is { } after)
        {
            config.MethodConfigs.Add(new MethodConfig
            {
                Names = { new MethodName { Service = service, Method = "GetCandidates" } },
                HedgingPolicy = new HedgingPolicy
                {
                    MaxAttempts = 2,
                    HedgingDelay = after,
                    NonFatalStatusCodes = { StatusCode.Unavailable },
                },
            });
        }

        return config;
    }
}
