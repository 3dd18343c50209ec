namespace Nearline.Worker.Kafka;

/// <summary>
/// Where batches and rebalances meet. A batch enters with the records whose partitions are still held; a revocation
/// marks the leases and waits until the batch that uses them has left. Thread-safe.
/// </summary>
internal sealed class BatchGate
{
    private readonly object gate = new();
    private HashSet<PartitionLease>? current;

    /// <summary>Starts a batch: returns the records that may be processed, without those of revoked partitions.</summary>
    public List<T> Enter<T>(IReadOnlyList<T> records, Func<T, PartitionLease> leaseOf)
    {
        lock (gate)
        {
            var held = records.Where(r => !leaseOf(r).IsRevoked).ToList();
            current = [.. held.Select(leaseOf)];
            return held;
        }
    }

    /// <summary>Ends the batch.</summary>
    /// <param name="conclude">Marks its records as done; runs before a waiting revocation goes on.</param>
    public void Leave(Action? conclude)
    {
        lock (gate)
        {
            conclude?.Invoke();
            current = null;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Marks the leases as revoked and waits for the batch that uses one of them.</summary>
    /// <returns>Whether no batch uses them any more; false when the time ran out.</returns>
    public bool Revoke(IReadOnlyCollection<PartitionLease> leases, TimeSpan timeout)
    {
        var deadline = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        lock (gate)
        {
            foreach (var lease in leases)
            {
                lease.Revoke();
            }

            while (current is not null && leases.Any(current.Contains))
            {
                var left = deadline - Environment.TickCount64;
                if (left <= 0 || !Monitor.Wait(gate, (int)left))
                {
                    return current is null || !leases.Any(current.Contains);
                }
            }

            return true;
        }
    }
}
