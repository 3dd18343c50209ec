using Confluent.Kafka;
using Nearline.Worker.Telemetry;

namespace Nearline.Worker.Kafka;

/// <summary>
/// What the Kafka clients report, as one incident: it is over when nothing has failed for a while and a broker has
/// answered since. The clients reconnect and retry by themselves; this only tells. Thread-safe.
/// </summary>
internal sealed class KafkaTrouble(WorkerMetrics metrics, TimeProvider clock, ILogger<KafkaTrouble> logger)
{
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(2);

    private readonly Incident incident = new("Kafka", logger, clock);
    private long answered;

    /// <summary>What failed last; null while all is well.</summary>
    public string? Problem => incident.Problem;

    /// <summary>How long it is since a broker answered, while there is trouble; zero while there is none.</summary>
    public TimeSpan Unanswered => Problem is null ? TimeSpan.Zero : clock.GetElapsedTime(Interlocked.Read(ref answered));

    /// <summary>A client reported an error.</summary>
    /// <param name="client">Which one.</param>
    /// <param name="error">What it said.</param>
    public void Failed(string client, Error error) => Failed(error.Code.ToString(), $"{client}: {error.Code}, {error.Reason}");

    /// <param name="kind">From a bounded set.</param>
    /// <param name="problem">In words.</param>
    public void Failed(string kind, string problem)
    {
        if (Problem is null)
        {
            Answered();
        }

        metrics.KafkaError(kind);
        incident.Failed(kind, problem);
    }

    /// <summary>A broker answered.</summary>
    public void Answered() => Interlocked.Exchange(ref answered, clock.GetTimestamp());

    /// <summary>Ends the incident if it is over.</summary>
    /// <param name="joined">Whether this worker has its partitions.</param>
    public void Settle(bool joined)
    {
        if (Problem is not null && joined && incident.Calm >= Calm && Unanswered < incident.Calm)
        {
            incident.Over();
        }
    }
}
