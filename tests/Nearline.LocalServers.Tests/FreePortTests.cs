using System.Net;
using System.Net.Sockets;

namespace Nearline.LocalServers.Tests;

public sealed class FreePortTests
{
    [Fact]
    public void Ports_differ_and_can_be_bound()
    {
        var ports = Enumerable.Range(0, 50).Select(_ => FreePort.Next()).ToArray();
        Assert.Equal(50, ports.Distinct().Count());
        using var listener = new TcpListener(IPAddress.Loopback, ports[0]);
        listener.Start();
    }
}
