using Nearline.Worker.Pipeline;

namespace Nearline.Worker.Tests.Support;

/// <summary>What a test does at the moments of a batch.</summary>
internal sealed class TestHooks : IBatchHooks
{
    public Func<IReadOnlyList<UserWork>, Task> BeforeWrite { get; set; } = _ => Task.CompletedTask;

    public Func<Task> BeforeCommit { get; set; } = () => Task.CompletedTask;

    public Task BeforeWriteAsync(IReadOnlyList<UserWork> work) => BeforeWrite(work);

    public Task BeforeCommitAsync() => BeforeCommit();
}

/// <summary>Stands for the death of the process.</summary>
internal sealed class SimulatedCrashException() : Exception("the process dies here");
