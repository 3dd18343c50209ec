namespace Nearline.Worker.Kafka;

/// <summary>
/// Where batches and rebalances meet. A batch enters with the records whose partitions are still held; a revocation
/// marks the leases and waits until the batches that use them have left. Thread-safe.
/// </summary>
internal sealed class BatchGate(TimeProvider clock)
{
    private readonly object gate = new();
    private readonly HashSet<BatchPass> inside = [];

    /// <summary>How long the oldest of the batches inside is there; null: none is.</summary>
    public TimeSpan? OldestAge
    {
        get
        {
            lock (gate)
            {
                return inside.Count == 0 ? null : clock.GetElapsedTime(inside.Min(pass => pass.EnteredAt));
            }
        }
    }

    /// <summary>Starts a batch: returns the records that may be processed, without those of revoked partitions.</summary>
    public (List<T> Held, BatchPass Pass) Enter<T>(IReadOnlyList<T> records, Func<T, PartitionLease> leaseOf)
    {
        lock (gate)
        {
            var held = records.Where(r => !leaseOf(r).IsRevoked).ToList();
            var pass = new BatchPass([.. held.Select(leaseOf)], clock.GetTimestamp());
            inside.Add(pass);
            return (held, pass);
        }
    }

    /// <summary>Ends a batch.</summary>
    /// <param name="pass">As it was given.</param>
    /// <param name="conclude">Marks its records as done; runs before a waiting revocation goes on.</param>
    public void Leave(BatchPass pass, Action? conclude)
    {
        lock (gate)
        {
            conclude?.Invoke();
            inside.Remove(pass);
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Marks the leases as revoked and waits for the batches that use one of them.</summary>
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

            while (inside.Any(pass => leases.Any(pass.Leases.Contains)))
            {
                var left = deadline - Environment.TickCount64;
                if (left <= 0 || !Monitor.Wait(gate, (int)left))
                {
                    return !inside.Any(pass => leases.Any(pass.Leases.Contains));
                }
            }

            return true;
        }
    }
}

/// <summary>A batch in work, as the gate knows it.</summary>
/// <param name="leases">What its records came under.</param>
/// <param name="enteredAt">When it began, by the clock's timestamp.</param>
internal sealed class BatchPass(HashSet<PartitionLease> leases, long enteredAt)
{
    public long EnteredAt => enteredAt;

    public HashSet<PartitionLease> Leases { get; } = leases;
}
