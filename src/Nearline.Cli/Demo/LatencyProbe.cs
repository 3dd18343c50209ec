using System.Diagnostics;
using Nearline.Cli.Publishing;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Events.V1;

namespace Nearline.Cli.Demo;

/// <summary>
/// Publishes an event and asks the api until it serves the set that the event made: the time between is
/// event-to-servable latency as producer and ranking stage see it, Kafka, worker, Redis and api included.
/// </summary>
internal sealed class LatencyProbe(EventPublisher publisher, CandidateReader reader)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>How many events were measured.</summary>
    public int Count => Latencies.Count;

    /// <summary>Their latencies.</summary>
    public Latencies Latencies { get; } = new();

    /// <summary>Publishes one event and waits for its set.</summary>
    /// <param name="message">The event.</param>
    /// <param name="scenario">Where to look.</param>
    /// <param name="limit">How many candidates to fetch.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The set and the latency.</returns>
    /// <exception cref="TimeoutException">The set did not follow.</exception>
    public async Task<(GetCandidatesResponse Response, double Milliseconds)> MeasureAsync(
        UserEvent message, string scenario, int limit, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        await publisher.PublishAsync(message, cancellationToken).ConfigureAwait(false);
        var response = await reader.GetAfterAsync(
            message.UserId, scenario, limit, message.EventId, Patience, cancellationToken).ConfigureAwait(false);
        var elapsed = Stopwatch.GetElapsedTime(start);
        Latencies.Add(elapsed);
        return (response, elapsed.TotalMilliseconds);
    }
}
