using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Nearline.Api.Tests.Fuzz;

/// <summary>A client that sends whatever frames it is told, right or wrong, and hears what comes back.</summary>
internal sealed class Http2Peer : IAsyncDisposable
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Reset = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte GoAway = 7;
    public const byte WindowUpdate = 8;
    public const byte Continuation = 9;
    public const byte EndStream = 1;
    public const byte EndHeaders = 4;

    private const int HeaderSize = 9;
    private const int LongestFrame = 1 << 24;
    private static readonly byte[] Preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    private readonly TcpClient _tcp;
    private readonly NetworkStream _stream;
    private readonly ConcurrentDictionary<int, Exchange> _exchanges = new();
    private readonly MemoryStream _unsent = new();
    private readonly Task _reading;
    private int _last = -1;

    private Http2Peer(TcpClient tcp, bool listen)
    {
        _tcp = tcp;
        _stream = tcp.GetStream();
        _reading = listen ? ReadAsync() : Task.CompletedTask;
    }

    /// <summary>Completes when the server has closed the connection.</summary>
    public Task Closed => _reading;

    /// <summary>The error code of the server's GOAWAY.</summary>
    public int? Farewell { get; private set; }

    /// <param name="port">On 127.0.0.1.</param>
    /// <param name="window">How much the server may send on a stream.</param>
    /// <param name="greet">Whether to begin as HTTP/2 says.</param>
    /// <param name="listen">Whether to read what comes.</param>
    public static async Task<Http2Peer> ConnectAsync(int port, uint window = int.MaxValue, bool greet = true, bool listen = true)
    {
        var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync(IPAddress.Loopback, port);
        var peer = new Http2Peer(tcp, listen);
        if (greet)
        {
            peer.Raw(Preface);
            peer.Frame(Settings, 0, 0, Setting(1, 0), Setting(4, window));
            peer.Frame(WindowUpdate, 0, 0, Number(int.MaxValue - 65535));
        }

        return peer;
    }

    public static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] Setting(ushort id, uint value)
    {
        var bytes = new byte[6];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, id);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(2), value);
        return bytes;
    }

    /// <summary>Takes down bytes to be sent by <see cref="SendAsync"/>.</summary>
    public void Raw(ReadOnlySpan<byte> bytes) => _unsent.Write(bytes);

    public void Frame(byte type, byte flags, int stream, params byte[][] payload)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        var length = payload.Sum(part => part.Length);
        BinaryPrimitives.WriteUInt32BigEndian(header, (uint)length << 8);
        header[3] = type;
        header[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(header[5..], stream);
        Raw(header);
        foreach (var part in payload)
        {
            Raw(part);
        }
    }

    /// <summary>Takes down a request; the result is what comes of it.</summary>
    public Exchange Request(byte[] headers, byte[] body)
    {
        var id = _last += 2;
        var exchange = _exchanges[id] = new Exchange();
        Frame(Headers, EndHeaders, id, headers);
        Frame(Data, EndStream, id, body);
        return exchange;
    }

    /// <summary>The next stream's number.</summary>
    public int NextStream() => _last += 2;

    /// <summary>Sends what was taken down; false when the server has closed.</summary>
    public async Task<bool> SendAsync()
    {
        try
        {
            await _stream.WriteAsync(_unsent.GetBuffer().AsMemory(0, (int)_unsent.Length));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
        finally
        {
            _unsent.SetLength(0);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _tcp.Dispose();
        await _reading;
        await _unsent.DisposeAsync();
    }

    private async Task ReadAsync()
    {
        var header = new byte[HeaderSize];
        try
        {
            while (await _stream.ReadAtLeastAsync(header, HeaderSize, throwOnEndOfStream: false) == HeaderSize)
            {
                var length = (int)(BinaryPrimitives.ReadUInt32BigEndian(header) >> 8);
                Assert.InRange(length, 0, LongestFrame);
                var payload = new byte[length];
                await _stream.ReadExactlyAsync(payload);
                Hear(header[3], header[4], BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5)), payload);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The connection has gone, as it may.
        }

        finally
        {
            foreach (var exchange in _exchanges.Values)
            {
                exchange.End("closed");
            }
        }
    }

    private void Hear(byte type, byte flags, int stream, byte[] payload)
    {
        switch (type)
        {
            case Headers when _exchanges.TryGetValue(stream, out var exchange):
                Hpack.Decode(payload, exchange.Headers);
                break;
            case Reset when _exchanges.TryGetValue(stream, out var exchange):
                exchange.End(string.Create(CultureInfo.InvariantCulture, $"reset {BinaryPrimitives.ReadUInt32BigEndian(payload)}"));
                return;
            case GoAway:
                // The server then waits for streams that it will never hear of again.
                Farewell = BinaryPrimitives.ReadInt32BigEndian(payload.AsSpan(4));
                var last = BinaryPrimitives.ReadInt32BigEndian(payload);
                foreach (var (id, unheard) in _exchanges.Where(pair => pair.Key >= last))
                {
                    unheard.End(string.Create(CultureInfo.InvariantCulture, $"goaway {Farewell} at {last - id}"));
                }

                return;
            case Data or Headers:
                break;
            default:
                return;
        }

        if ((flags & EndStream) != 0 && _exchanges.TryGetValue(stream, out var ended))
        {
            ended.End(ended.Headers.GetValueOrDefault("grpc-status") is { } status
                ? $"grpc {status}"
                : $"http {ended.Headers.GetValueOrDefault(":status")}");
        }
    }

    /// <summary>One request, and what came of it.</summary>
    internal sealed class Exchange
    {
        private readonly TaskCompletionSource<string> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Dictionary<string, string> Headers { get; } = new(StringComparer.Ordinal);

        /// <summary>"grpc CODE", "http CODE", "reset CODE" or "closed".</summary>
        public Task<string> Ended => _end.Task;

        public void End(string how) => _end.TrySetResult(how);
    }
}
