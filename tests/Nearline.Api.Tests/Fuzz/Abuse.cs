using System.Globalization;

namespace Nearline.Api.Tests.Fuzz;

/// <summary>Connections that break HTTP/2's rules, or keep them to do harm. Each returns how many frames it sent.</summary>
internal sealed class Abuse(Random random, int port, Malformed messages)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    /// <summary>By name: what is done, and whether the server must close the connection for it.</summary>
    public IReadOnlyDictionary<string, Func<int, Task<int>>> Kinds => new Dictionary<string, Func<int, Task<int>>>(StringComparer.Ordinal)
    {
        // Some of these could be the start of a line of HTTP/1: they are closed when they have been idle too long.
        ["random bytes, no preface"] = _ => RunAsync(peer => peer.Raw(Bytes(200)), greet: false, mustClose: false),
        ["random frames"] = RandomFramesAsync,
        ["rapid reset"] = frames => FloodAsync(frames, peer =>
        {
            var stream = peer.NextStream();
            peer.Frame(Http2Peer.Headers, Http2Peer.EndHeaders, stream, messages.Headers());
            peer.Frame(Http2Peer.Reset, 0, stream, Http2Peer.Number(8));
        }, framesEach: 2),
        ["CONTINUATION flood"] = frames => RunAsync(peer =>
        {
            var stream = peer.NextStream();
            peer.Frame(Http2Peer.Headers, 0, stream, messages.Headers());
            for (var i = 0; i < frames; i++)
            {
                peer.Frame(Http2Peer.Continuation, 0, stream, Hpack.Encode((string.Create(CultureInfo.InvariantCulture, $"x-{i}"), "value")));
            }
        }, mustClose: true, frames: frames),
        ["SETTINGS flood"] = frames => FloodAsync(frames, peer => peer.Frame(Http2Peer.Settings, 0, 0, Http2Peer.Setting(3, 100)), listen: false),
        ["PING flood"] = frames => FloodAsync(frames, peer => peer.Frame(Http2Peer.Ping, 0, 0, Bytes(8)), listen: false),
        ["empty DATA flood"] = frames => FloodAsync(frames, peer => peer.Frame(Http2Peer.Data, 0, 1, []), open: true),
        ["huge headers"] = _ => RunAsync(
            peer => peer.Frame(Http2Peer.Headers, Http2Peer.EndHeaders | Http2Peer.EndStream, peer.NextStream(), messages.Headers(("x-huge", new string('h', 15_000)))),
            mustClose: false),
        ["many headers"] = _ => RunAsync(
            peer => peer.Frame(
                Http2Peer.Headers, Http2Peer.EndHeaders | Http2Peer.EndStream, peer.NextStream(),
                messages.Headers([.. Enumerable.Range(0, 1000).Select(i => (string.Create(CultureInfo.InvariantCulture, $"x-{i}"), "v"))])),
            mustClose: false),
        ["bad header compression"] = _ => RunAsync(
            peer => peer.Frame(Http2Peer.Headers, Http2Peer.EndHeaders, peer.NextStream(), [0x80], Bytes(20)), mustClose: true),
        ["frame past the size"] = _ => RunAsync(peer => peer.Frame(Http2Peer.Data, 0, 1, new byte[20_000]), mustClose: true),
        ["DATA of no stream"] = _ => RunAsync(peer => peer.Frame(Http2Peer.Data, 0, 0, Bytes(8)), mustClose: true),
        ["stream of an even number"] = _ => RunAsync(
            peer => peer.Frame(Http2Peer.Headers, Http2Peer.EndHeaders, 2, messages.Headers()), mustClose: true),
        ["window past its end"] = _ => RunAsync(
            peer => peer.Frame(Http2Peer.WindowUpdate, 0, 0, Http2Peer.Number(int.MaxValue)), mustClose: true),
        ["window of nothing"] = _ => RunAsync(peer => peer.Frame(Http2Peer.WindowUpdate, 0, 0, Http2Peer.Number(0)), mustClose: true),
        ["SETTINGS out of range"] = _ => RunAsync(peer => peer.Frame(Http2Peer.Settings, 0, 0, Http2Peer.Setting(4, uint.MaxValue)), mustClose: true),
        ["header values that are no text"] = _ => RunAsync(
            peer => peer.Frame(Http2Peer.Headers, Http2Peer.EndHeaders | Http2Peer.EndStream, peer.NextStream(), messages.Headers(("grpc-encoding", "\u00ff\u00fe"))),
            mustClose: true),
        ["header names in capitals"] = _ => RunAsync(
            peer => peer.Frame(Http2Peer.Headers, Http2Peer.EndHeaders | Http2Peer.EndStream, peer.NextStream(), messages.Headers(("X-Capital", "v"))),
            mustClose: true),
    };

    private Task<int> RandomFramesAsync(int frames) => FloodAsync(
        Math.Min(frames, 50),
        peer => peer.Frame((byte)random.Next(16), (byte)random.Next(256), random.Next(-2, 20), Bytes(random.Next(64))));

    /// <summary>Sends frames until there are enough of them or the server has had enough.</summary>
    private async Task<int> FloodAsync(int frames, Action<Http2Peer> one, int framesEach = 1, bool listen = true, bool open = false)
    {
        await using var peer = await Http2Peer.ConnectAsync(port, listen: listen);
        if (open)
        {
            peer.Frame(Http2Peer.Headers, Http2Peer.EndHeaders, peer.NextStream(), messages.Headers());
        }

        var sent = 0;
        while (sent < frames)
        {
            for (var i = 0; i < 50; i++, sent += framesEach)
            {
                one(peer);
            }

            // One that is never read from stops to take in more: that is its right.
            var sending = peer.SendAsync();
            if (await Task.WhenAny(sending, Task.Delay(listen ? Patience : TimeSpan.FromSeconds(1))) != sending)
            {
                Assert.False(listen, "the server takes in no more, and has not closed the connection");
                break;
            }

            if (!await sending)
            {
                break;
            }
        }

        return sent;
    }

    private async Task<int> RunAsync(Action<Http2Peer> send, bool mustClose, bool greet = true, int frames = 1)
    {
        await using var peer = await Http2Peer.ConnectAsync(port, greet: greet);
        send(peer);
        await peer.SendAsync();
        if (mustClose)
        {
            try
            {
                await peer.Closed.WaitAsync(Patience);
            }
            catch (TimeoutException e)
            {
                throw new TimeoutException($"the server keeps the connection open (GOAWAY: {peer.Farewell})", e);
            }
        }

        return frames;
    }

    private byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
