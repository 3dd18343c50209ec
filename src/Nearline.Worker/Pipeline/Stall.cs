namespace Nearline.Worker.Pipeline;

/// <summary>
/// Whether processing stands still because something it needs fails, and why. Meanwhile the partitions are paused
/// and the worker is not ready. Thread-safe.
/// </summary>
internal sealed class Stall
{
    private readonly Lock gate = new();
    private readonly Dictionary<object, string> reasons = [];
    private volatile string? reason;

    public bool IsStalled => reason is not null;

    /// <summary>What fails; null: nothing.</summary>
    public string? Reason => reason;

    /// <summary>Work does not get on.</summary>
    /// <param name="work">Tells it from other work.</param>
    /// <param name="why">What fails.</param>
    public void Begin(object work, string why)
    {
        lock (gate)
        {
            reasons[work] = why;
            reason = why;
        }
    }

    /// <summary>It got on, or was given up.</summary>
    public void End(object work)
    {
        lock (gate)
        {
            if (reasons.Remove(work))
            {
                reason = reasons.Values.FirstOrDefault();
            }
        }
    }
}
