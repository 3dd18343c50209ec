using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Nearline.LocalServers.Redis;

/// <summary>One inline command over a raw connection: readiness without a client library.</summary>
internal static class RedisProbe
{
    /// <summary>The whole first reply to a command; null when nothing serves the port.</summary>
    public static async Task<string?> AskAsync(int port, string command, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient(AddressFamily.InterNetwork);
            await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken).ConfigureAwait(false);
            var stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(command + "\r\n"), cancellationToken).ConfigureAwait(false);
            var buffer = new byte[16 * 1024];
            var length = 0;
            while (length < buffer.Length)
            {
                var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
                length += read;
                if (read == 0 || IsWhole(buffer.AsSpan(0, length)))
                {
                    break;
                }
            }

            return Encoding.UTF8.GetString(buffer, 0, length);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return null;
        }
    }

    /// <summary>A bulk reply ($length, text) is whole when all its bytes are there, any other at its line end.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> reply)
    {
        var line = reply.IndexOf("\r\n"u8);
        if (line < 0)
        {
            return false;
        }

        return reply[0] != (byte)'$'
            || !int.TryParse(reply[1..line], System.Globalization.CultureInfo.InvariantCulture, out var length)
            || reply.Length >= line + 2 + length + 2;
    }
}
