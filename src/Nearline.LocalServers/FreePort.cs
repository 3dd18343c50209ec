using System.Net;
using System.Net.Sockets;

namespace Nearline.LocalServers;

/// <summary>Finds TCP ports for servers that cannot be asked to pick one.</summary>
public static class FreePort
{
    private const int Remembered = 256;
    private static readonly Lock Gate = new();
    private static readonly Queue<int> Recent = new();

    /// <summary>
    /// A port on 127.0.0.1 that was free a moment ago and that this process has not handed out recently. Another
    /// process may take it before the caller binds it: on a conflict, ask again and retry. Servers that can bind
    /// port 0 themselves (Kestrel) should do that instead.
    /// </summary>
    public static int Next()
    {
        lock (Gate)
        {
            while (true)
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
                if (Recent.Contains(port))
                {
                    continue;
                }

                Recent.Enqueue(port);
                if (Recent.Count > Remembered)
                {
                    Recent.Dequeue();
                }

                return port;
            }
        }
    }
}
