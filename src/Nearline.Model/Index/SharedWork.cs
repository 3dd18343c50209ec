namespace Nearline.Model.Index;

/// <summary>
/// Work in parts that are done by whoever comes: the thread that runs it, and those of the pool that it asked and that
/// find something left to do. One that comes late finds less; one that has not come when all is done is not waited for.
/// </summary>
internal abstract class SharedWork(SearchHelper[] helpers)
{
    private readonly object gate = new();
    private readonly bool[] isAsked = new bool[helpers.Length];
    private int parts;
    private int nextPart;
    private int partsDone;
    private int firstParts;
    private int firstDone;
    private int nextWorker;
    private int holders;
    private Exception? failure;

    /// <summary>Does parts on another thread than the one that runs the work.</summary>
    public void Help()
    {
        Work();
        Leave();
    }

    /// <summary>Does a part.</summary>
    /// <param name="part">Which.</param>
    /// <param name="workerNumber">Whose memory to use: each thread has another, from 0 to the number of helpers.</param>
    protected abstract void Do(int part, int workerNumber);

    /// <summary>Called when nobody holds the work any more.</summary>
    protected abstract void Released();

    /// <summary>To be called before anything is changed.</summary>
    protected void Hold() => holders = 1;

    /// <summary>To be called after <see cref="Hold"/>, when the results are taken.</summary>
    protected void Leave()
    {
        if (Interlocked.Decrement(ref holders) == 0)
        {
            Released();
        }
    }

    /// <summary>Does all parts.</summary>
    /// <param name="count">Of them.</param>
    /// <param name="threads">At most, this one among them.</param>
    /// <param name="first">So many parts are done before any other begins.</param>
    /// <exception cref="InvalidOperationException">A part failed.</exception>
    protected void Run(int count, int threads, int first = 0)
    {
        (parts, nextPart, partsDone, nextWorker, failure) = (count, 0, 0, 0, null);
        (firstParts, firstDone) = (first, 0);
        if (count == 0)
        {
            return;
        }

        Ask(Math.Min(threads, count) - 1);
        Work();
        TakeBack();
        Wait(ref partsDone, parts);
        if (failure is not null)
        {
            throw new InvalidOperationException("search: a thread failed", failure);
        }
    }

    private void Ask(int wanted)
    {
        for (var i = 0; i < helpers.Length; i++)
        {
            // Held before it is asked, since it may come and leave at once.
            isAsked[i] = false;
            if (wanted > 0)
            {
                Interlocked.Increment(ref holders);
                isAsked[i] = helpers[i].TryAsk(this);
                _ = isAsked[i] ? wanted-- : Interlocked.Decrement(ref holders);
            }
        }
    }

    private void TakeBack()
    {
        for (var i = 0; i < helpers.Length; i++)
        {
            if (isAsked[i] && helpers[i].TryTakeBack(this))
            {
                Interlocked.Decrement(ref holders);
            }
        }
    }

    /// <summary>Does parts until none is left.</summary>
    private void Work()
    {
        var number = Interlocked.Increment(ref nextWorker) - 1;
        for (int part; (part = Interlocked.Increment(ref nextPart) - 1) < parts;)
        {
            if (part >= firstParts)
            {
                Wait(ref firstDone, firstParts);
            }

            // After a failure nothing that follows would be of use.
            if (failure is null)
            {
                try
                {
                    Do(part, number);
                }
                catch (Exception e)
                {
                    failure = e;
                }
            }

            if (part < firstParts)
            {
                Count(ref firstDone, firstParts);
            }

            Count(ref partsDone, parts);
        }
    }

    private void Count(ref int done, int all)
    {
        if (Interlocked.Increment(ref done) == all)
        {
            lock (gate)
            {
                Monitor.PulseAll(gate);
            }
        }
    }

    /// <summary>Waits for parts that other threads have begun.</summary>
    private void Wait(ref int done, int all)
    {
        // A part takes some microseconds, mostly less than it takes to sleep and wake.
        for (var spin = default(SpinWait); Volatile.Read(ref done) < all && !spin.NextSpinWillYield;)
        {
            spin.SpinOnce();
        }

        lock (gate)
        {
            while (Volatile.Read(ref done) < all)
            {
                Monitor.Wait(gate);
            }
        }
    }
}
