using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Nearline.Worker.Options;

namespace Nearline.Worker.Inspection;

/// <summary>
/// Where the worker listens: metrics and health over HTTP/1 at <c>urls</c>, inspection over HTTP/2 on a port of its own,
/// since without TLS one port cannot speak both.
/// </summary>
internal sealed class WorkerEndpoints(string urls)
{
    private readonly List<ListenOptions> http = [];
    private ListenOptions? grpc;

    /// <summary>The addresses of metrics and health.</summary>
    public IEnumerable<string> Http => http.Select(listen => $"{listen}");

    /// <summary>The address of the inspection service; null: it is off, or not bound yet.</summary>
    public Uri? Grpc => grpc?.IPEndPoint is { } bound ? new Uri($"http://{bound}") : null;

    public void Listen(KestrelServerOptions kestrel, WorkerOptions options)
    {
        kestrel.AddServerHeader = false;
        foreach (var url in urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            Listen(kestrel, BindingAddress.Parse(url));
        }

        if (options.GrpcPort >= 0)
        {
            kestrel.Listen(IPAddress.Parse(options.GrpcBindAddress), options.GrpcPort, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                grpc = listen;
            });
        }
    }

    private void Listen(KestrelServerOptions kestrel, BindingAddress address)
    {
        void Configure(ListenOptions listen)
        {
            http.Add(listen);
            if (string.Equals(address.Scheme, "https", StringComparison.OrdinalIgnoreCase))
            {
                listen.UseHttps();
            }
        }

        if (address.IsUnixPipe)
        {
            kestrel.ListenUnixSocket(address.UnixPipePath, Configure);
        }
        else if (string.Equals(address.Host, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            kestrel.ListenLocalhost(address.Port, Configure);
        }
        else if (IPAddress.TryParse(address.Host, out var ip))
        {
            kestrel.Listen(ip, address.Port, Configure);
        }
        else
        {
            // As with every host that is no address: all of them.
            kestrel.ListenAnyIP(address.Port, Configure);
        }
    }
}
