using System.Diagnostics.CodeAnalysis;

namespace Nearline.Worker.Pipeline;

/// <summary>
/// Requests of backfills, which let everything else go first. Their records are held back from commit until they are
/// processed. The gatherer's alone: not thread-safe.
/// </summary>
/// <param name="capacity">How many may wait; more are not set aside.</param>
/// <param name="servedPlan">What is served now.</param>
/// <param name="clock">The time.</param>
internal sealed class SetAside(int capacity, Func<string> servedPlan, TimeProvider clock)
{
    /// <summary>A worker that cannot load what the others serve does not hold a backfill up for ever.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Queue<WorkItem> items = new();

    public bool IsEmpty => items.Count == 0;

    /// <summary>Takes the item if it can wait and there is room.</summary>
    public bool TryAdd(WorkItem item)
    {
        if (item.Refresh is not { IsBackfill: true } || items.Count >= capacity)
        {
            return false;
        }

        item.Source.Lease.Hold(item.Source.Record.Offset);
        items.Enqueue(item with { IsHeld = true });
        return true;
    }

    /// <summary>The next, unless what it wants served is not loaded yet.</summary>
    public bool TryTake([NotNullWhen(true)] out WorkItem? item)
    {
        if (items.TryPeek(out item) &&
            (item.Source.Lease.IsRevoked || item.Refresh!.Scope is not { Plan.Length: > 0 } scope || scope.Plan == servedPlan() ||
             clock.GetElapsedTime(item.Source.ReceivedAt) > Patience))
        {
            items.Dequeue();
            return true;
        }

        item = null;
        return false;
    }
}
