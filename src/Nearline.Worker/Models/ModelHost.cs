using System.Collections.Concurrent;
using Nearline.Model.Bundles;
using Nearline.Model.Index;
using Nearline.Model.Serving;

namespace Nearline.Worker.Models;

/// <summary>
/// The models that are served and the one thread that runs them: dispose scopes are bound to their thread, so whole pieces of work
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
    private readonly Dictionary<IServingRetriever, CatalogState> states = new(ReferenceEqualityComparer.Instance);
    private ModelSet? current;
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

    /// <summary>How the catalog stands beside a model; null: as it was trained with. For functions that run on the inference thread.</summary>
    public CatalogState? CatalogOf(IServingRetriever model) => states.GetValueOrDefault(model);

    /// <summary>Completes when there is a model.</summary>
    public Task FirstModel => first.Task;

    /// <summary>Runs the function on the inference thread with all models.</summary>
    /// <exception cref="InvalidOperationException">There is no model yet.</exception>
    public Task<T> RunOnAllAsync<T>(Func<ModelSet, T> function, CancellationToken cancellationToken) =>
        EnqueueAsync(
            () => function(current ?? throw new InvalidOperationException("no model is active yet")), cancellationToken);

    /// <summary>Runs the function on the inference thread with the active model.</summary>
    /// <exception cref="InvalidOperationException">There is no model yet.</exception>
    public Task<T> RunAsync<T>(Func<IRetriever, T> function, CancellationToken cancellationToken) =>
        RunOnAllAsync(models => function(models.Active), cancellationToken);

    /// <summary>
    /// Hands changes of the catalog to the models, and keeps them for the models after it; null without a model.
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

            Apply(current, changes, states);
            return state = current is null ? null : states.GetValueOrDefault(current.Active);
        },
        cancellationToken);

    /// <summary>Makes this the model of all users, see <see cref="ServeAsync"/>.</summary>
    public Task SwapAsync(IServingRetriever next, CancellationToken cancellationToken) =>
        ServeAsync(new ServingPlan(next.ModelVersion, Rollout.None), [next], cancellationToken);

    /// <summary>
    /// Serves by this plan, after the work at hand, and disposes the models that are not in it, which nobody uses any
    /// more. New ones begin with the catalog as it stands. Users' work waits only for the exchange and for changes of the
    /// catalog that came meanwhile: the catalog is taken in, and what was before is given back, on the caller's time. One
    /// at a time.
    /// </summary>
    /// <param name="next">Who is served by what.</param>
    /// <param name="loaded">Those of its models that are new; the others are served already.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task ServeAsync(ServingPlan next, IReadOnlyList<IServingRetriever> loaded, CancellationToken cancellationToken)
    {
        var known = await EnqueueAsync(
            () =>
            {
                changedSince.Clear();
                return catalog.Values.ToArray();
            },
            cancellationToken).ConfigureAwait(false);
        var begun = new Dictionary<IServingRetriever, CatalogState>(ReferenceEqualityComparer.Instance);
        foreach (var model in loaded.Where(_ => known.Length > 0))
        {
            begun[model] = model.Apply(known);
        }

        var old = await EnqueueAsync(
            () =>
            {
                foreach (var model in loaded.Where(_ => changedSince.Count > 0))
                {
                    begun[model] = model.Apply([.. changedSince.Select(show => catalog[show])]);
                }

                var models = next.Versions.ToDictionary(
                    v => v, v => loaded.FirstOrDefault(m => m.ModelVersion == v) ?? current!.Of(v), StringComparer.Ordinal);
                var before = current;
                current = new ModelSet(next, models);
                foreach (var (model, taken) in begun)
                {
                    states[model] = taken;
                }

                state = states.GetValueOrDefault(current.Active);
                (version, index, plan) = (next.Active, current.Active.Index, next);
                first.TrySetResult();
                var gone = before?.All.Except(models.Values).ToList() ?? [];
                gone.ForEach(model => states.Remove(model));
                return gone;
            },
            cancellationToken).ConfigureAwait(false);
        old.ForEach(model => model.Dispose());
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

        foreach (var model in current?.All ?? [])
        {
            model.Dispose();
        }

        current = null;
    }

    /// <summary>All models take the changes in, also when one fails at it; that is said afterwards.</summary>
    private static void Apply(
        ModelSet? models, IReadOnlyList<CatalogChange> changes, Dictionary<IServingRetriever, CatalogState> states)
    {
        var failures = new List<Exception>();
        foreach (var model in models?.All ?? [])
        {
            try
            {
                states[model] = model.Apply(changes);
            }
            catch (Exception e)
            {
                failures.Add(e);
            }
        }

        if (failures.Count > 0)
        {
            throw failures.Count == 1 ? failures[0] : new AggregateException(failures);
        }
    }
}
