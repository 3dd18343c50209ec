namespace Nearline.Worker.Pipeline;

/// <summary>Moments of a batch at which tests let the worker die or another writer come in between.</summary>
internal interface IBatchHooks
{
    /// <summary>States are folded and sets are made; nothing is stored.</summary>
    Task BeforeWriteAsync(IReadOnlyList<UserWork> work) => Task.CompletedTask;

    /// <summary>States and sets are stored; the offsets are not released for commit.</summary>
    Task BeforeCommitAsync() => Task.CompletedTask;
}

/// <summary>Nothing happens.</summary>
internal sealed class NoHooks : IBatchHooks;
