using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Nearline.Worker.Tests.Support;

/// <summary>A way to a server on which answers take as long as one wants, in order and without loss.</summary>
internal sealed class SlowLink : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly string host;
    private readonly int port;
    private readonly Task accepting;
    private long delay;

    /// <param name="server">Its address, <c>host:port</c>.</param>
    public SlowLink(string server)
    {
        var parts = server.Split(':');
        (host, port) = (parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture));
        listener.Start();
        accepting = AcceptAsync();
    }

    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    /// <summary>How long answers take from now on.</summary>
    public TimeSpan Delay
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref delay));
        set => Interlocked.Exchange(ref delay, value.Ticks);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await accepting;
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var links = new List<Task>();
        try
        {
            while (true)
            {
                links.Add(LinkAsync(await listener.AcceptTcpClientAsync(stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(links);
        }
    }

    private async Task LinkAsync(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            try
            {
                await server.ConnectAsync(host, port, stop.Token);
                client.NoDelay = server.NoDelay = true;
                var answers = Channel.CreateUnbounded<(byte[] Bytes, long Due)>();
                await Task.WhenAny(
                    client.GetStream().CopyToAsync(server.GetStream(), stop.Token),
                    TakeAsync(server.GetStream(), answers.Writer),
                    GiveAsync(answers.Reader, client.GetStream()));
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // An end went away: so does the link.
            }
        }
    }

    private async Task TakeAsync(NetworkStream from, ChannelWriter<(byte[] Bytes, long Due)> answers)
    {
        var buffer = new byte[1 << 16];
        while (await from.ReadAsync(buffer, stop.Token) is > 0 and var count)
        {
            answers.TryWrite((buffer[..count], Environment.TickCount64 + (long)Delay.TotalMilliseconds));
        }
    }

    private async Task GiveAsync(ChannelReader<(byte[] Bytes, long Due)> answers, NetworkStream to)
    {
        await foreach (var (bytes, due) in answers.ReadAllAsync(stop.Token))
        {
            if (due - Environment.TickCount64 is > 0 and var left)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(left), stop.Token);
            }

            await to.WriteAsync(bytes, stop.Token);
        }
    }
}
