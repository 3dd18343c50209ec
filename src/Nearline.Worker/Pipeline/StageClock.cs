namespace Nearline.Worker.Pipeline;

/// <summary>
/// Where a batch's time goes, stage by stage without gaps: what the stages took is the time since the batch began.
/// </summary>
internal sealed class StageClock(TimeProvider clock)
{
    private readonly Dictionary<string, TimeSpan> durations = new(StringComparer.Ordinal);
    private long last = clock.GetTimestamp();

    /// <summary>When the batch began, as a timestamp of the clock.</summary>
    public long Begun { get; } = clock.GetTimestamp();

    /// <summary>What each stage took so far.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Durations => durations;

    /// <summary>Ends a stage; a stage that ends again adds to what it took.</summary>
    public void End(string stage)
    {
        var now = clock.GetTimestamp();
        Add(stage, clock.GetElapsedTime(last, now));
        last = now;
    }

    /// <summary>Moves a part of a stage that has ended to a stage of its own.</summary>
    public void Split(string stage, string part, TimeSpan duration)
    {
        Add(stage, -duration);
        Add(part, duration);
    }

    private void Add(string stage, TimeSpan duration) => durations[stage] = durations.GetValueOrDefault(stage) + duration;
}
