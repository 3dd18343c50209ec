using Nearline.Worker.Kafka;

namespace Nearline.Worker.Pipeline;

/// <summary>A batch on its way, and how far it is. If it fails, what waits for it fails likewise.</summary>
internal sealed class BatchInWork
{
    private readonly TaskCompletionSource started = New();
    private readonly TaskCompletionSource computed = New();

    /// <param name="items">What it has, of partitions that this worker holds.</param>
    /// <param name="pass">By which it went through the gate.</param>
    /// <param name="ahead">The batch before it; null: none.</param>
    public BatchInWork(List<WorkItem> items, BatchPass pass, BatchInWork? ahead)
    {
        (Items, Pass) = (items, pass);
        Users = [.. items.Select(i => i.UserId).OfType<string>()];
        Ahead = ahead is null ? new BatchAhead([], Task.CompletedTask, Task.CompletedTask) : ahead.AsAhead();
    }

    public List<WorkItem> Items { get; }

    public BatchPass Pass { get; }

    /// <summary>The users whose states are as the batch leaves them: all whose events were not given up.</summary>
    public List<UserWork> Written { get; } = [];

    public BatchAhead Ahead { get; }

    /// <summary>Ends when the model begins with it.</summary>
    public Task Started => started.Task;

    /// <summary>Ends when the model is done with it.</summary>
    public Task Computed => computed.Task;

    /// <summary>Ends when everything of it is stored.</summary>
    public Task Done { get; private set; } = Task.CompletedTask;

    private HashSet<string> Users { get; }

    public void Start() => started.SetResult();

    public void Compute() => computed.SetResult();

    /// <summary>Its work, which begins with this call's return at the latest.</summary>
    public void Run(Task work)
    {
        Done = work;
        _ = PassFailureOnAsync(work);
    }

    /// <summary>Users whom no batch ahead has, whose states can be read at once, and the others.</summary>
    public (List<UserWork> Early, List<UserWork> Late) Split(List<UserWork> users) =>
        (users.FindAll(u => !Ahead.Has(u.UserId)), users.FindAll(u => Ahead.Has(u.UserId)));

    private async Task PassFailureOnAsync(Task work)
    {
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            started.TrySetCanceled();
            computed.TrySetCanceled();
        }
        catch (Exception e)
        {
            started.TrySetException(e);
            computed.TrySetException(e);
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the next batch needs to know: no more, so that no chain of batches stays in memory.</summary>
    private BatchAhead AsAhead() => new(Done.IsCompletedSuccessfully ? [] : [.. Users, .. Ahead.Unwritten()], Computed, Done);
}

/// <summary>The batches ahead of a batch.</summary>
/// <param name="users">Users of whom they have not written everything, as far as known when this one began.</param>
/// <param name="computed">Ends when the model is done with the last of them.</param>
/// <param name="done">Ends when everything of them is stored.</param>
internal sealed class BatchAhead(HashSet<string> users, Task computed, Task done)
{
    public Task Computed => computed;

    public Task Done => done;

    public bool Has(string userId) => users.Contains(userId);

    public IEnumerable<string> Unwritten() => Done.IsCompletedSuccessfully ? [] : users;
}
