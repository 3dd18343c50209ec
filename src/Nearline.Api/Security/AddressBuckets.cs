using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Nearline.Api.Security;

/// <summary>
/// A rate limit for each remote address of callers without a name; an IPv6 network of 64 bits counts as one. When there
/// are as many addresses as are kept, those that have been quiet are forgotten, and newcomers share one limit till then.
/// </summary>
internal sealed class AddressBuckets(double perSecond, int burst, TimeProvider time)
{
    internal const int MaxAddresses = 10_000;
    private static readonly TimeSpan SweepPause = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Key, TokenBucket> _buckets = new();
    private readonly TokenBucket _others = new(perSecond, burst, time);
    private int _count;
    private long _swept = time.GetTimestamp();

    /// <summary>How many addresses are remembered.</summary>
    public int Count => Volatile.Read(ref _count);

    public TokenBucket Of(IPAddress? address)
    {
        if (address is null)
        {
            return _others;
        }

        var key = Key.Of(address);
        return _buckets.TryGetValue(key, out var bucket) ? bucket : Add(key);
    }

    private TokenBucket Add(Key key)
    {
        if (Count >= MaxAddresses)
        {
            Sweep();
        }

        if (Interlocked.Increment(ref _count) > MaxAddresses)
        {
            Interlocked.Decrement(ref _count);
            return _others;
        }

        var made = new TokenBucket(perSecond, burst, time);
        var kept = _buckets.GetOrAdd(key, made);
        if (!ReferenceEquals(made, kept))
        {
            Interlocked.Decrement(ref _count);
        }

        return kept;
    }

    private void Sweep()
    {
        var swept = Volatile.Read(ref _swept);
        if (time.GetElapsedTime(swept) < SweepPause
            || Interlocked.CompareExchange(ref _swept, time.GetTimestamp(), swept) != swept)
        {
            return;
        }

        foreach (var (key, bucket) in _buckets)
        {
            if (bucket.IsFull && _buckets.TryRemove(key, out _))
            {
                Interlocked.Decrement(ref _count);
            }
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Key(AddressFamily Family, ulong Bits)
    {
        public static Key Of(IPAddress address)
        {
            Span<byte> bytes = stackalloc byte[16];
            address.TryWriteBytes(bytes, out var written);
            return written == sizeof(uint)
                ? new Key(AddressFamily.InterNetwork, BinaryPrimitives.ReadUInt32BigEndian(bytes))
                : address.IsIPv4MappedToIPv6
                    ? new Key(AddressFamily.InterNetwork, BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]))
                    : new Key(AddressFamily.InterNetworkV6, BinaryPrimitives.ReadUInt64BigEndian(bytes));
        }
    }
}
