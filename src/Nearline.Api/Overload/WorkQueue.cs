using Microsoft.Extensions.Options;

namespace Nearline.Api.Overload;

/// <summary>
/// Tells how much work waits for processors. Calls being answered do not show it: one that waits for a thread has not
/// begun. Who is refused when much waits is refused within milliseconds, and those let in find processors soon.
/// </summary>
internal sealed class WorkQueue(IOptions<ApiOptions> options)
{
    /// <summary>What may wait a processor where the settings do not say: some 2 ms of work.</summary>
    public const int PerProcessor = 64;

    // Calls that were let in should not be refused after all because others were let in since.
    private const int Grace = 4;

    private readonly int _most = options.Value.MaxQueuedWork > 0
        ? options.Value.MaxQueuedWork
        : PerProcessor * Environment.ProcessorCount;

    private int _arriving;

    /// <summary>How many more calls may come over a connection now; not positive: none.</summary>
    public int Room => _most - Waiting;

    /// <summary>Whether so much waits that calls which have come should be refused too.</summary>
    public bool IsFarTooLong => Waiting > Grace * _most;

    private int Waiting
    {
        get
        {
            var waiting = (int)ThreadPool.PendingWorkItemCount;
            if (waiting == 0)
            {
                // Nothing waits, so what is counted as on its way never came: the server refused it by itself.
                Volatile.Write(ref _arriving, 0);
            }

            return Math.Max(waiting, Volatile.Read(ref _arriving));
        }
    }

    /// <summary>Calls were handed to the server, which will queue them.</summary>
    public void Arriving(int calls) => Interlocked.Add(ref _arriving, calls);

    /// <summary>One of them has begun.</summary>
    public void Begun() => Interlocked.Decrement(ref _arriving);
}
