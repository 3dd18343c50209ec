namespace Grpc.AspNetCore.Server.Calls;

/// <summary>Fires once when a call's time is over, and holds the token that also fires when the request is aborted.</summary>
internal sealed class CallDeadline : IAsyncDisposable
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(24);

    private readonly CancellationTokenSource cancellation;
    private readonly Func<Task> onDeadline;
    private readonly Lock gate = new();
    private Timer? timer;
    private TaskCompletionSource? fired;
    private bool disposed;

    public CallDeadline(TimeSpan timeout, CancellationToken aborted, Func<Task> onDeadline)
    {
        var now = DateTime.UtcNow;
        Timeout = timeout;
        Time = timeout < DateTime.MaxValue - now ? now + timeout : DateTime.MaxValue;
        this.onDeadline = onDeadline;
        cancellation = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        Token = cancellation.Token;
    }

    public TimeSpan Timeout { get; }

    /// <summary>UTC.</summary>
    public DateTime Time { get; }

    public CancellationToken Token { get; }

    public void Start()
    {
        if (Time == DateTime.MaxValue)
        {
            return;
        }

        lock (gate)
        {
            timer = new Timer(static state => ((CallDeadline)state!).OnTimer(), this, DueIn(), System.Threading.Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>
    /// Waits for a deadline that is firing: it uses the request, which the server gives to another call once this
    /// one has returned.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Task? firing;
        lock (gate)
        {
            disposed = true;
            timer?.Dispose();
            firing = fired?.Task;
        }

        if (firing is not null)
        {
            await firing;
        }

        cancellation.Dispose();
    }

    private TimeSpan DueIn()
    {
        var left = Time - DateTime.UtcNow;
        // A timer counts whole milliseconds and must not fire early.
        return left <= TimeSpan.Zero ? TimeSpan.Zero
            : left >= LongestTimer ? LongestTimer
            : TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds));
    }

    private void OnTimer()
    {
        lock (gate)
        {
            if (disposed || fired is not null)
            {
                return;
            }

            if (DateTime.UtcNow < Time)
            {
                timer!.Change(DueIn(), System.Threading.Timeout.InfiniteTimeSpan);
                return;
            }

            fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        _ = FireAsync(fired);
    }

    private async Task FireAsync(TaskCompletionSource done)
    {
        try
        {
            await onDeadline();
            await cancellation.CancelAsync();
        }
        catch (AggregateException)
        {
            // A callback of the handler's own threw; the others ran all the same.
        }
        finally
        {
            done.SetResult();
        }
    }
}
