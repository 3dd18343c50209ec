using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Options;
using Nearline.Api.Overload;
using Nearline.Api.Security;
using Nearline.Api.Telemetry;

namespace Nearline.Api.Hosting;

/// <summary>The two endpoints, and, once they are bound, their addresses: a port of 0 gets its number only then.</summary>
internal sealed class BoundEndpoints(IOptions<ApiOptions> options, TlsCertificates certificates, SheddingConnections shedding, ApiMetrics metrics)
{
    // gRPC clients multiplex; the default of 100 would make them queue or open more connections.
    private const int StreamsPerConnection = 1000;

    // A call's headers are some hundred bytes; a key or a trace adds some hundred more.
    private const int HeaderBytes = 16 * 1024;
    private const int HeaderFieldBytes = 8 * 1024;
    private const int Headers = 64;

    // What is around a message: its frame and, where it is compressed, what compression may add.
    private const int MessageSlack = 64 * 1024;

    // A stream may be quiet for hours; a peer that is gone should not keep its place so long.
    private static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PongWithin = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan HeadersWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan HandshakeWithin = TimeSpan.FromSeconds(10);

    private ListenOptions? _grpc;
    private ListenOptions? _http;

    /// <summary>The gRPC endpoint's address.</summary>
    public Uri Grpc => AddressOf(_grpc, certificates.Enabled ? "https" : "http");

    /// <summary>The address for metrics and health over HTTP/1.</summary>
    public Uri Http => AddressOf(_http);

    public void Listen(KestrelServerOptions kestrel)
    {
        var address = IPAddress.Parse(options.Value.BindAddress);
        kestrel.AddServerHeader = false;
        SetLimits(kestrel.Limits);
        var connections = new ConnectionLimit(options.Value.MaxConnections, metrics);
        kestrel.Listen(address, options.Value.GrpcPort, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(connections.Around);
            if (certificates.Enabled)
            {
                listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    OnConnection = _ => new(certificates.Current.ForHandshake()),
                    HandshakeTimeout = HandshakeWithin,
                });
            }

            else
            {
                // Over TLS nothing can be put between the server's writes.
                listen.Use(shedding.Around);
            }

            _grpc = listen;
        });
        kestrel.Listen(address, options.Value.HttpPort, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            _http = listen;
        });
    }

    private void SetLimits(KestrelServerLimits limits)
    {
        limits.MaxRequestHeaderCount = Headers;
        limits.RequestHeadersTimeout = HeadersWithin;
        limits.MaxRequestHeadersTotalSize = HeaderBytes;
        limits.MaxRequestBodySize = options.Value.MaxMessageBytes + MessageSlack;
        limits.Http2.MaxRequestHeaderFieldSize = HeaderFieldBytes;
        limits.Http2.MaxStreamsPerConnection = StreamsPerConnection;
        limits.Http2.KeepAlivePingDelay = PingAfter;
        limits.Http2.KeepAlivePingTimeout = PongWithin;
    }

    private static Uri AddressOf(ListenOptions? listen, string scheme = "http") =>
        new($"{scheme}://{listen?.IPEndPoint ?? throw new InvalidOperationException("The server is not listening yet.")}");
}
