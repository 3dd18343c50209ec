using Nearline.Contracts;

namespace Nearline.Api.Refreshing;

/// <summary>
/// Remembers when something was last done for each of many users, in fixed memory: users that share a slot push each
/// other out, which costs a repetition now and then, never a wrong refusal beyond one in 16 million.
/// </summary>
internal sealed class DebounceTable(TimeSpan window, TimeProvider time, int slots = 1 << 16)
{
    private const int TimeBits = 40;
    private const ulong TimeMask = (1UL << TimeBits) - 1;

    private readonly ulong[] _slots = new ulong[slots];
    private readonly long _start = time.GetTimestamp();

    /// <summary>True if nothing was done for the user within the window; then it counts as done now.</summary>
    public bool TryPass(string userId)
    {
        if (window <= TimeSpan.Zero)
        {
            return true;
        }

        var hash = StableHash.Of(userId);
        ref var slot = ref _slots[hash % (ulong)_slots.Length];
        var now = ((ulong)time.GetElapsedTime(_start).TotalMilliseconds & TimeMask) + 1;
        var mine = hash >> TimeBits << TimeBits | now;
        while (true)
        {
            var seen = Volatile.Read(ref slot);
            var sameUser = seen != 0 && seen >> TimeBits == hash >> TimeBits;
            if (sameUser && now < (seen & TimeMask) + (ulong)window.TotalMilliseconds)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref slot, mine, seen) == seen)
            {
                return true;
            }
        }
    }
}
