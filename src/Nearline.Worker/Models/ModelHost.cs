using System.Collections.Concurrent;
using Nearline.Model.Bundles;
using Nearline.Model.Index;
using Nearline.Model.Serving;

namespace Nearline.Worker.Models;

/// <summary>
/// The active model and the one thread that runs it: dispose scopes are bound to their thread, so whole pieces of work
/// are handed over, and a swap takes its turn between two of them. Thread-safe.
/// </summary>
internal sealed class ModelHost : IDisposable
{
    /// <summary>A model that hangs must not keep the process from ending.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly BlockingCollection<Action> queue = [];
    private readonly TaskCompletionSource first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread thread;
    private readonly Dictionary<string, CatalogChange> catalog = new(StringComparer.Ordinal);
    private readonly HashSet<string> changedSince = new(StringComparer.Ordinal);
    private IServingRetriever? current;
    private volatile CatalogState? state;
    private volatile string? version;
    private volatile ServingPlan? plan;
    private volatile IndexInfo? index;
    private ulong catalogPosition;
    private int disposed;

    public ModelHost()
    {
        thread = new Thread(Loop) { IsBackground = true, Name = "inference" };
        thread.Start();
    }

    /// <summary>The active model's version; null before the first.</summary>
    public string? Version => version;

    /// <summary>Which models make whose sets; null before the first model.</summary>
    public ServingPlan? Plan => plan;

    /// <summary>What searches the active model's rows; null before the first.</summary>
    public IndexInfo? Index => index;

    /// <summary>How the catalog stands beside the active model's; null before the first change and the first model.</summary>
    public CatalogState? Catalog => state;

    /// <summary>How much of the catalog topic the models have taken in: the sum of the offsets read of its partitions.</summary>
    public ulong CatalogPosition => Volatile.Read(ref catalogPosition);

    /// <summary>Completes when there is a model.</summary>
    public Task FirstModel => first.Task;

    /// <summary>Runs the function on the inference thread with the active model.</summary>
    /// <exception cref="InvalidOperationException">There is no model yet.</exception>
    public Task<T> RunAsync<T>(Func<IRetriever, T> function, CancellationToken cancellationToken) =>
        EnqueueAsync(
            () => function(current ?? throw new InvalidOperationException("no model is active yet")), cancellationToken);

    /// <summary>
    /// Hands changes of the catalog to the active model, and keeps them for the models after it; null without a model.
    /// </summary>
    /// <param name="changes">What changed.</param>
    /// <param name="position">See <see cref="CatalogPosition"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<CatalogState?> ApplyAsync(IReadOnlyList<CatalogChange> changes, ulong position, CancellationToken cancellationToken) => EnqueueAsync(
        () =>
        {
            Volatile.Write(ref catalogPosition, position);
            foreach (var change in changes)
            {
                catalog[change.ShowId] = change;
                changedSince.Add(change.ShowId);
            }

            return state = current?.Apply(changes);
        },
        cancellationToken);

    /// <summary>
    /// Makes this the active model, after the work at hand, and disposes the one before, which nobody uses any more. It
    /// begins with the catalog as it stands. Users' work waits only for the exchange and for changes of the catalog that
    /// came meanwhile: the catalog is taken in, and what was before is given back, on the caller's time. One at a time.
    /// </summary>
    public async Task SwapAsync(IServingRetriever next, CancellationToken cancellationToken)
    {
        var known = await EnqueueAsync(
            () =>
            {
                changedSince.Clear();
                return catalog.Values.ToArray();
            },
            cancellationToken).ConfigureAwait(false);
        var begun = known.Length > 0 ? next.Apply(known) : null;
        var old = await EnqueueAsync(
            () =>
            {
                state = changedSince.Count > 0 ? next.Apply([.. changedSince.Select(show => catalog[show])]) : begun ?? state;
                (var before, current) = (current, next);
                (version, index) = (next.ModelVersion, next.Index);
                plan = new ServingPlan(next.ModelVersion, Rollout.None);
                first.TrySetResult();
                return before;
            },
            cancellationToken).ConfigureAwait(false);
        old?.Dispose();
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
        {
            queue.CompleteAdding();
            if (thread.Join(StopTimeout))
            {
                queue.Dispose();
            }
        }
    }

    private Task<T> EnqueueAsync<T>(Func<T> function, CancellationToken cancellationToken)
    {
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        queue.Add(
            () =>
            {
                if (cancellationToken.IsCancellationRequested)
                {
                    completion.SetCanceled(cancellationToken);
                    return;
                }

                try
                {
                    completion.SetResult(function());
                }
                catch (Exception e)
                {
                    completion.SetException(e);
                }
            },
            cancellationToken);
        return completion.Task;
    }

    private void Loop()
    {
        foreach (var work in queue.GetConsumingEnumerable())
        {
            work();
        }

        current?.Dispose();
        current = null;
    }
}
