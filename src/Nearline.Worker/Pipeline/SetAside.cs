using System.Diagnostics.CodeAnalysis;
using Nearline.Worker.Kafka;

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

    private readonly Queue<(WorkItem Item, bool WasServed)> items = new();
    private readonly Dictionary<PartitionLease, string> newest = [];

    public bool IsEmpty => items.Count == 0;

    /// <summary>Takes the item if it can wait and there is room.</summary>
    public bool TryAdd(WorkItem item)
    {
        if (item.Refresh is not { IsBackfill: true } || items.Count >= capacity)
        {
            return false;
        }

        var plan = PlanOf(item);
        item.Source.Lease.Hold(item.Source.Record.Offset);
        items.Enqueue((item with { IsHeld = true }, plan.Length == 0 || plan == servedPlan()));
        newest[item.Source.Lease] = plan;
        return true;
    }

    /// <summary>
    /// The next, unless what it wants served is not loaded yet. Where something else is served by now, or a later backfill
    /// wants something else, nothing is gained by waiting.
    /// </summary>
    public bool TryTake([NotNullWhen(true)] out WorkItem? item)
    {
        if (items.TryPeek(out var next) && (next.WasServed || IsToBeTaken(next.Item)))
        {
            items.Dequeue();
            if (items.Count == 0)
            {
                newest.Clear();
            }

            item = next.Item;
            return true;
        }

        item = null;
        return false;
    }

    private static string PlanOf(WorkItem item) => item.Refresh?.Scope?.Plan ?? "";

    private bool IsToBeTaken(WorkItem item) =>
        item.Source.Lease.IsRevoked || PlanOf(item) == servedPlan() || PlanOf(item) != newest[item.Source.Lease] ||
        clock.GetElapsedTime(item.Source.ReceivedAt) > Patience;
}
