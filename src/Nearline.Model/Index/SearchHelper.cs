namespace Nearline.Model.Index;

/// <summary>
/// A place for one thread of the pool beside those that search. A search that is done before the thread came takes its
/// request back; the thread, still to come, serves the next.
/// </summary>
internal sealed class SearchHelper : IThreadPoolWorkItem
{
    private SharedWork? job;
    private int isQueued;

    /// <summary>Asks for help.</summary>
    /// <returns>False when another search has asked and nobody came yet.</returns>
    public bool TryAsk(SharedWork asking)
    {
        if (Interlocked.CompareExchange(ref job, asking, null) is not null)
        {
            return false;
        }

        if (Interlocked.Exchange(ref isQueued, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        return true;
    }

    /// <summary>Takes the request back.</summary>
    /// <returns>False when somebody came.</returns>
    public bool TryTakeBack(SharedWork asked) => Interlocked.CompareExchange(ref job, null, asked) == asked;

    /// <inheritdoc/>
    void IThreadPoolWorkItem.Execute()
    {
        // In this order: who asks from now on queues again.
        Interlocked.Exchange(ref isQueued, 0);
        Interlocked.Exchange(ref job, null)?.Help();
    }
}
