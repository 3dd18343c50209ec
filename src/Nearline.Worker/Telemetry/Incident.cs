namespace Nearline.Worker.Telemetry;

/// <summary>
/// A trouble as the log tells it: one line when it begins, one a minute while it lasts, one when it is over, however
/// many attempts fail meanwhile. Thread-safe.
/// </summary>
/// <param name="what">What fails, the subject of the lines.</param>
/// <param name="logger">Gets them.</param>
/// <param name="clock">Measures how long it lasts.</param>
internal sealed class Incident(string what, ILogger logger, TimeProvider clock)
{
    private static readonly TimeSpan ReminderInterval = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly SortedDictionary<string, int> kinds = new(StringComparer.Ordinal);
    private long begun;
    private long said;
    private long failed;
    private string? problem;

    /// <summary>What failed last; null while nothing does.</summary>
    public string? Problem => Volatile.Read(ref problem);

    /// <summary>How long nothing has failed, while the incident is open.</summary>
    public TimeSpan Calm => clock.GetElapsedTime(Interlocked.Read(ref failed));

    /// <summary>Something failed.</summary>
    /// <param name="kind">Of what kind, from a bounded set; counted in the last line.</param>
    /// <param name="why">In words.</param>
    public void Failed(string kind, string why)
    {
        lock (gate)
        {
            var now = clock.GetTimestamp();
            if (problem is null)
            {
                (begun, said) = (now, now);
                logger.TroubleBegan(what, kind, why);
            }
            else if (clock.GetElapsedTime(said, now) >= ReminderInterval)
            {
                said = now;
                logger.TroubleLasts(what, clock.GetElapsedTime(begun, now).TotalSeconds, Met(), why);
            }

            kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
            Interlocked.Exchange(ref failed, now);
            Volatile.Write(ref problem, why);
        }
    }

    /// <summary>It works again; nothing is said when it always did.</summary>
    public void Over()
    {
        if (Problem is null)
        {
            return;
        }

        lock (gate)
        {
            if (problem is not null)
            {
                logger.TroubleOver(what, clock.GetElapsedTime(begun).TotalSeconds, Met());
                kinds.Clear();
                Volatile.Write(ref problem, null);
            }
        }
    }

    private string Met() => string.Join(", ", kinds.Select(k => $"{k.Key} {k.Value}"));
}
