using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Nearline.Api.Overload;

/// <summary>
/// Goes over what a client sends on one HTTP/2 connection, frame by frame, and takes out calls that there is no room for.
/// They cost next to nothing: no stream is made, no header decoded. What it cannot judge it lets through, and the guard
/// behind it refuses what is too much.
/// </summary>
/// <remarks>
/// A call is taken out only when its header block leaves the decoder alone (<see cref="HeaderBlock"/>), as all but a
/// connection's first calls do, and only on a connection that has had some calls since its last SETTINGS and in the last
/// second: probes are let through, whether they connect for one call or keep their connection.
/// </remarks>
internal sealed class FrameShedder
{
    /// <summary>Calls of a connection in a second that are let through in any case.</summary>
    public const int Unconditional = 16;

    private const int HeaderSize = 9;
    private const int LargestFrame = 16 * 1024;
    private const int Remembered = 4096;
    private const int CreditStep = 16 * 1024;

    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte Priority = 2;
    private const byte Reset = 3;
    private const byte Settings = 4;
    private const byte WindowUpdate = 8;
    private const byte EndHeaders = 0x4;
    private const byte Padded = 0x8;
    private const byte Prioritised = 0x20;
    private const byte Acknowledged = 0x1;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    private readonly byte[] _refusal;
    private readonly TimeProvider _time;
    private readonly HashSet<int> _shed = [];
    private readonly Queue<int> _order = new();
    private byte[] _held = new byte[LargestFrame];
    private int _length;
    private int _highest;
    private int _calls;
    private int _unconditional = Unconditional;
    private long _second;
    private int _credit;
    private bool _begun;
    private bool _passesAll;

    /// <param name="refusal">The header block of the answer to a call that is taken out.</param>
    /// <param name="time">Tells seconds.</param>
    public FrameShedder(ReadOnlySpan<byte> refusal, TimeProvider time)
    {
        (_time, _second) = (time, time.GetTimestamp());
        _refusal = new byte[HeaderSize + refusal.Length];
        WriteHeader(_refusal, refusal.Length, Headers, EndHeaders | 0x1, 0);
        refusal.CopyTo(_refusal.AsSpan(HeaderSize));
    }

    /// <summary>Goes over further bytes.</summary>
    /// <param name="received">What the client sent.</param>
    /// <param name="room">How many calls may go through.</param>
    /// <param name="onward">Gets what goes through.</param>
    /// <param name="back">Gets what is answered at once.</param>
    /// <returns>How many calls went through, and how many were taken out.</returns>
    public (int Passed, int Shed) Process(ReadOnlySequence<byte> received, int room, IBufferWriter<byte> onward, IBufferWriter<byte> back)
    {
        Hold(received);
        if (_time.GetElapsedTime(_second) >= Second)
        {
            (_unconditional, _second) = (Unconditional, _time.GetTimestamp());
        }

        var (at, from, shed, before) = (0, 0, 0, _calls);
        if (!_begun)
        {
            if (_length < Preface.Length)
            {
                return (0, 0);
            }

            _begun = true;
            _passesAll = !_held.AsSpan(0, Preface.Length).SequenceEqual(Preface);
            at = Preface.Length;
        }

        while (!_passesAll && _length - at >= HeaderSize)
        {
            var frame = Frame.Read(_held.AsSpan(at));
            if (frame.Length > LargestFrame)
            {
                // Not allowed; the server will say so.
                _passesAll = true;
                break;
            }

            var next = at + HeaderSize + frame.Length;
            if (next > _length)
            {
                break;
            }

            if (TakesOut(frame, _held.AsSpan(at + HeaderSize, frame.Length), ref room, back, ref shed))
            {
                onward.Write(_held.AsSpan(from, at - from));
                from = next;
            }

            at = next;
        }

        var end = _passesAll ? _length : at;
        onward.Write(_held.AsSpan(from, end - from));
        _held.AsSpan(end, _length - end).CopyTo(_held);
        _length -= end;
        return (_calls - before, shed);
    }

    private void Hold(ReadOnlySequence<byte> received)
    {
        var length = _length + (int)received.Length;
        if (length > _held.Length)
        {
            Array.Resize(ref _held, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)length));
        }

        received.CopyTo(_held.AsSpan(_length));
        _length = length;
    }

    private bool TakesOut(Frame frame, ReadOnlySpan<byte> payload, ref int room, IBufferWriter<byte> back, ref int shed)
    {
        switch (frame.Type)
        {
            case Headers when frame.Stream > _highest:
                _highest = frame.Stream;
                if (room > 0 || _unconditional > 0 || !CanTakeOut(frame, payload))
                {
                    room--;
                    _calls++;
                    _unconditional--;
                    return false;
                }

                Remember(frame.Stream);
                BinaryPrimitives.WriteInt32BigEndian(_refusal.AsSpan(5), frame.Stream);
                back.Write(_refusal);
                shed++;
                return true;
            case Data when _shed.Contains(frame.Stream):
                GiveBack(frame.Length, back);
                return true;
            case Reset or WindowUpdate or Priority:
                return _shed.Contains(frame.Stream);
            case Settings when (frame.Flags & Acknowledged) == 0:
                // It may resize the table with which the server encodes, and the server must be the first to say so.
                _unconditional = Unconditional;
                return false;
            default:
                return false;
        }
    }

    private static bool CanTakeOut(Frame frame, ReadOnlySpan<byte> payload)
    {
        const int PriorityFields = 5;
        if ((frame.Flags & (EndHeaders | Padded)) != EndHeaders)
        {
            return false;
        }

        var skipped = (frame.Flags & Prioritised) == 0 ? 0 : PriorityFields;
        return payload.Length >= skipped && HeaderBlock.LeavesDecoderAlone(payload[skipped..]);
    }

    // A client may still send a body, a reset or credit for a call that was answered; the server must not hear of it.
    private void Remember(int stream)
    {
        _shed.Add(stream);
        _order.Enqueue(stream);
        if (_order.Count > Remembered)
        {
            _shed.Remove(_order.Dequeue());
        }
    }

    // What is taken out counts against the connection's window all the same.
    private void GiveBack(int length, IBufferWriter<byte> back)
    {
        _credit += length;
        if (_credit >= CreditStep)
        {
            Span<byte> update = stackalloc byte[HeaderSize + sizeof(int)];
            WriteHeader(update, sizeof(int), WindowUpdate, 0, 0);
            BinaryPrimitives.WriteInt32BigEndian(update[HeaderSize..], _credit);
            back.Write(update);
            _credit = 0;
        }
    }

    private static void WriteHeader(Span<byte> frame, int length, byte type, byte flags, int stream)
    {
        BinaryPrimitives.WriteInt32BigEndian(frame, length << 8 | type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame[5..], stream);
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Frame(int Length, byte Type, byte Flags, int Stream)
    {
        public static Frame Read(ReadOnlySpan<byte> header)
        {
            var head = BinaryPrimitives.ReadUInt32BigEndian(header);
            return new Frame((int)(head >> 8), (byte)head, header[4], BinaryPrimitives.ReadInt32BigEndian(header[5..]) & int.MaxValue);
        }
    }
}
