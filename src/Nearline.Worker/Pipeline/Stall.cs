namespace Nearline.Worker.Pipeline;

/// <summary>
/// Whether processing stands still because something it needs fails, and why. Meanwhile the partitions are paused
/// and the worker is not ready. Thread-safe.
/// </summary>
internal sealed class Stall
{
    private volatile string? reason;

    public bool IsStalled => reason is not null;

    /// <summary>What fails; null: nothing.</summary>
    public string? Reason => reason;

    public void Begin(string why) => reason = why;

    public void End() => reason = null;
}
