using System.Buffers;
using System.Buffers.Binary;
using Nearline.Api.Overload;
using Nearline.Api.Tests.Support;

namespace Nearline.Api.Tests.Overload;

public sealed class FrameShedderTests
{
    private const int None = 0;
    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte Priority = 2;
    private const byte Reset = 3;
    private const byte Settings = 4;
    private const byte WindowUpdate = 8;

    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();
    private static readonly byte[] Refusal = [0x88, 0xFF];

    // Indexed fields alone, as in a connection's later calls.
    private static readonly byte[] Known = [0x83, 0x86, 0xC0, 0xBF];

    private readonly ManualClock _clock = new();
    private readonly FrameShedder _shedder;
    private readonly ArrayBufferWriter<byte> _onward = new();
    private readonly ArrayBufferWriter<byte> _back = new();

    public FrameShedderTests() => _shedder = new FrameShedder(Refusal, _clock);

    [Fact]
    public void Connection_of_few_calls_is_never_refused_one()
    {
        Begin();
        Assert.Equal((0, 1), Process(Calls(101, 1), None));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((FrameShedder.Unconditional, 1), Process(Calls(103, FrameShedder.Unconditional + 1), None));
        _clock.Advance(TimeSpan.FromSeconds(0.9));
        Assert.Equal((0, 1), Process(Calls(201, 1), None));
    }

    [Fact]
    public void With_room_all_goes_through_however_it_is_cut()
    {
        byte[] sent = [.. Preface, .. Frame(Settings, 0, 0, new byte[6]), .. Calls(1, 40), .. Frame(WindowUpdate, 0, 0, new byte[4]), .. Calls(41, 40)];
        var random = new Random(1);
        for (var at = 0; at < sent.Length;)
        {
            var length = Math.Min(random.Next(1, 40), sent.Length - at);
            _shedder.Process(new ReadOnlySequence<byte>(sent, at, length), int.MaxValue, _onward, _back);
            at += length;
        }

        Assert.Equal(sent, _onward.WrittenSpan.ToArray());
        Assert.Equal(0, _back.WrittenCount);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public void Without_room_a_call_is_answered_and_all_its_frames_are_taken_out(int cut)
    {
        Begin();
        var kept = Frame(Data, 1, 1, [1, 2, 3]);
        byte[] sent =
        [
            .. Frame(Headers, 4, 101, Known), .. kept, .. Frame(Data, 0, 101, [9, 9]), .. Frame(WindowUpdate, 0, 101, new byte[4]),
            .. Frame(Priority, 0, 101, new byte[5]), .. Frame(Reset, 0, 101, new byte[4]), .. Frame(WindowUpdate, 0, 1, new byte[4]),
        ];

        var shed = sent.Chunk(cut).Sum(part => Process(part, None).Shed);

        Assert.Equal(1, shed);
        Assert.Equal([.. kept, .. Frame(WindowUpdate, 0, 1, new byte[4])], _onward.WrittenSpan.ToArray());
        Assert.Equal(Frame(Headers, 5, 101, Refusal), _back.WrittenSpan.ToArray());
    }

    [Fact]
    public void As_many_calls_go_through_as_there_is_room_for()
    {
        Begin();

        var (passed, shed) = Process(Calls(101, 10), room: 4);

        Assert.Equal((4, 6), (passed, shed));
        Assert.Equal(Calls(101, 4), _onward.WrittenSpan.ToArray());
        Assert.Equal(Enumerable.Range(0, 6).SelectMany(i => Frame(Headers, 5, 109 + (2 * i), Refusal)), _back.WrittenSpan.ToArray());
    }

    [Theory]
    [InlineData(new byte[] { 0x83, 0x40, 1, 65, 1, 66 }, "adds an entry with a new name")]
    [InlineData(new byte[] { 0x83, 0x7E, 1, 66 }, "adds an entry with a known name")]
    [InlineData(new byte[] { 0x20, 0x83 }, "resizes the table")]
    [InlineData(new byte[] { 0x83, 0x00, 5, 65 }, "ends in the middle of a text")]
    [InlineData(new byte[] { 0xFF }, "ends in the middle of a number")]
    public void What_the_decoder_must_see_goes_through(byte[] block, string why)
    {
        Begin();
        var call = Frame(Headers, 5, 101, block);

        Assert.True(Process(call, None) == (1, 0), why);

        Assert.Equal(call, _onward.WrittenSpan.ToArray());
    }

    [Theory]
    [InlineData(new byte[] { 0x00, 1, 65, 1, 66 })]
    [InlineData(new byte[] { 0x10, 0x81, 0xFF, 0x82, 1, 2 })]
    [InlineData(new byte[] { 0x0F, 0x10, 3, 1, 2, 3 })]
    [InlineData(new byte[] { 0xFF, 0x80, 0x01 })]
    [InlineData(new byte[] { })]
    public void What_leaves_the_decoder_alone_can_be_taken_out(byte[] block)
    {
        Begin();

        Assert.Equal((0, 1), Process(Frame(Headers, 5, 101, block), None));
    }

    [Fact]
    public void A_block_in_pieces_and_a_padded_one_go_through()
    {
        Begin();
        byte[] sent = [.. Frame(Headers, 1, 101, Known), .. Frame(9, 4, 101, Known), .. Frame(Headers, 0xD, 103, [1, .. Known, 0])];

        Process(sent, None);

        Assert.Equal(sent, _onward.WrittenSpan.ToArray());
    }

    [Fact]
    public void A_connections_first_calls_and_those_after_new_settings_go_through()
    {
        Process([.. Preface, .. Calls(1, FrameShedder.Unconditional)], None);
        Assert.Equal(0, _back.WrittenCount);
        Assert.Equal((0, 1), Process(Frame(Headers, 5, 101, Known), None));
        Assert.Equal((0, 1), Process([.. Frame(Settings, 1, 0, []), .. Frame(Headers, 5, 103, Known)], None));

        Assert.Equal((1, 0), Process([.. Frame(Settings, 0, 0, []), .. Frame(Headers, 5, 105, Known)], None));
    }

    [Fact]
    public void What_is_taken_out_is_given_back_to_the_connections_window()
    {
        Begin();
        Process(Frame(Headers, 4, 101, Known), None);
        _back.ResetWrittenCount();
        for (var i = 0; i < 5; i++)
        {
            Process(Frame(Data, 0, 101, new byte[10_000]), None);
        }

        var updates = _back.WrittenSpan.ToArray().Chunk(13).ToArray();
        Assert.All(updates, update => Assert.Equal(Frame(WindowUpdate, 0, 0, update[9..]), update));
        Assert.Equal([20_000, 20_000], updates.Select(update => BinaryPrimitives.ReadInt32BigEndian(update.AsSpan(9))));
        Assert.Equal(0, _onward.WrittenCount);
    }

    [Fact]
    public void What_is_no_HTTP_2_is_left_to_the_server()
    {
        byte[] request = [.. "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n"u8];
        Process(request, None);
        Assert.Equal(request, _onward.WrittenSpan.ToArray());

        _onward.ResetWrittenCount();
        var other = new FrameShedder(Refusal, _clock);
        byte[] huge = [.. Preface, 0xFF, 0xFF, 0xFF, 1, 4, 0, 0, 0, 1, 1, 2, 3];
        other.Process(new ReadOnlySequence<byte>(huge), None, _onward, _back);
        other.Process(new ReadOnlySequence<byte>([4, 5, 6]), None, _onward, _back);
        Assert.Equal([.. huge, 4, 5, 6], _onward.WrittenSpan.ToArray());
    }

    // A connection that has had enough calls.
    private void Begin()
    {
        Process([.. Preface, .. Calls(1, FrameShedder.Unconditional)], int.MaxValue);
        _onward.ResetWrittenCount();
    }

    private (int Passed, int Shed) Process(byte[] sent, int room) =>
        _shedder.Process(new ReadOnlySequence<byte>(sent), room, _onward, _back);

    private static byte[] Calls(int first, int count) =>
        [.. Enumerable.Range(0, count).SelectMany(i => (byte[])[.. Frame(Headers, 4, first + (2 * i), Known), .. Frame(Data, 1, first + (2 * i), [0, 0, 0, 0, 0])])];

    private static byte[] Frame(byte type, byte flags, int stream, byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8 | type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        return frame;
    }
}
