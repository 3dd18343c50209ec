using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Nearline.Api.Hosting;

/// <summary>The two endpoints, and, once they are bound, their addresses: a port of 0 gets its number only then.</summary>
internal sealed class BoundEndpoints(IOptions<ApiOptions> options)
{
    // gRPC clients multiplex; the default of 100 would make them queue or open more connections.
    private const int StreamsPerConnection = 1000;

    private ListenOptions? _grpc;
    private ListenOptions? _http;

    /// <summary>The gRPC endpoint's address.</summary>
    public Uri Grpc => AddressOf(_grpc);

    /// <summary>The address for metrics and health over HTTP/1.</summary>
    public Uri Http => AddressOf(_http);

    public void Listen(KestrelServerOptions kestrel)
    {
        var address = IPAddress.Parse(options.Value.BindAddress);
        kestrel.AddServerHeader = false;
        kestrel.Limits.Http2.MaxStreamsPerConnection = StreamsPerConnection;
        kestrel.Listen(address, options.Value.GrpcPort, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            _grpc = listen;
        });
        kestrel.Listen(address, options.Value.HttpPort, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            _http = listen;
        });
    }

    private static Uri AddressOf(ListenOptions? listen) =>
        new($"http://{listen?.IPEndPoint ?? throw new InvalidOperationException("The server is not listening yet.")}");
}
