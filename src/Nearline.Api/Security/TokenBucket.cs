namespace Nearline.Api.Security;

/// <summary>
/// A rate limit without timer or lock: all its state is the instant at which the bucket is full again (the generic cell
/// rate algorithm).
/// </summary>
/// <param name="perSecond">Tokens that flow in a second, more than 0.</param>
/// <param name="burst">Tokens that a full bucket holds, at least 1.</param>
/// <param name="time">The clock.</param>
internal sealed class TokenBucket(double perSecond, int burst, TimeProvider time)
{
    private readonly long _token = Math.Max(1, (long)(time.TimestampFrequency / perSecond));
    private readonly long _depth = burst * Math.Max(1, (long)(time.TimestampFrequency / perSecond));
    private long _full = time.GetTimestamp();

    /// <summary>Whether the bucket is full: it then knows nothing that a new one would not.</summary>
    public bool IsFull => Volatile.Read(ref _full) <= time.GetTimestamp();

    /// <summary>Takes one token if there is one, else tells when there will be.</summary>
    public bool TryTake(out TimeSpan retryAfter)
    {
        var now = time.GetTimestamp();
        while (true)
        {
            var seen = Volatile.Read(ref _full);
            var full = Math.Max(seen, now) + _token;
            if (full - now > _depth)
            {
                retryAfter = time.GetElapsedTime(now, full - _depth);
                return false;
            }

            if (Interlocked.CompareExchange(ref _full, full, seen) == seen)
            {
                retryAfter = TimeSpan.Zero;
                return true;
            }
        }
    }

    /// <summary>Takes so many tokens, there or not: what is missing is missing for later calls.</summary>
    public void Charge(int tokens)
    {
        var now = time.GetTimestamp();
        while (true)
        {
            var seen = Volatile.Read(ref _full);
            if (Interlocked.CompareExchange(ref _full, Math.Max(seen, now) + (tokens * _token), seen) == seen)
            {
                return;
            }
        }
    }
}
