using Microsoft.Extensions.Options;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Serving;
using Nearline.Worker.Options;
using Nearline.Worker.Pipeline;
using Nearline.Worker.Telemetry;
using StackExchange.Redis;

namespace Nearline.Worker.Models;

/// <summary>
/// Follows the pointer to the active model and what is rolled out beside it: loads and warms new models beside the old,
/// swaps, writes the fallback lists. A model that is refused is left out: the one before it goes on, a canary's users have
/// the active one, an experiment rests. It is tried again after a while.
/// </summary>
internal sealed class ModelFollower(
    IRetrieverSource source,
    ModelHost host,
    FallbackStore fallbacks,
    WorkerMetrics metrics,
    IOptions<WorkerOptions> options,
    TimeProvider clock,
    ILogger<ModelFollower> logger) : BackgroundService
{
    private static readonly TimeSpan RetryRefused = TimeSpan.FromSeconds(30);
    private static readonly int[] WarmUpBatches = [1, 8, 64];

    private readonly WorkerOptions settings = options.Value;
    private readonly Incident fallbackTrouble = new("fallback lists", logger, clock);
    private readonly Dictionary<string, (long At, string Problem)> refused = new(StringComparer.Ordinal);
    private Rollout rollout = Rollout.None;
    private ServingPlan? served;
    private long? listsWritten;
    private int listsRemoved;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        metrics.ObserveModels(() => host.Plan);
        metrics.ObserveIndex(() => host.Index);
        metrics.ObserveNativeTensors(() => TorchSharp.torch.Tensor.TotalCount);
        // Loading takes a while; the start of the process must not wait for it.
        await Task.Yield();
        using var timer = new PeriodicTimer(settings.ModelPollInterval, clock);
        do
        {
            await FollowAsync(stoppingToken).ConfigureAwait(false);
            await WriteFallbacksAsync(stoppingToken).ConfigureAwait(false);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        // A model that is refused is left out, and what can be served without it is served.
        var ready = new Dictionary<string, IServingRetriever>(StringComparer.Ordinal);
        try
        {
            while (Wanted() is { } plan && plan.Id != host.Plan?.Id)
            {
                if (!TryLoad(plan, ready))
                {
                    continue;
                }

                var loaded = plan.Versions.Where(ready.ContainsKey).Select(v => ready[v]).ToList();
                try
                {
                    await host.ServeAsync(plan, loaded, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // One of them cannot take the catalog as it stands.
                    loaded.ForEach(model => Refuse(model.ModelVersion, e));
                    return;
                }

                loaded.ForEach(model => ready.Remove(model.ModelVersion));
                await TellAsync(plan, loaded, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            foreach (var unused in ready.Values)
            {
                unused.Dispose();
            }
        }
    }

    /// <summary>Loads what the plan needs and nobody has yet; false: one is refused.</summary>
    private bool TryLoad(ServingPlan plan, Dictionary<string, IServingRetriever> ready)
    {
        var present = host.Plan?.Versions.ToHashSet(StringComparer.Ordinal) ?? [];
        foreach (var missing in plan.Versions.Where(v => !present.Contains(v) && !ready.ContainsKey(v)))
        {
            try
            {
                ready.Add(missing, Load(missing));
            }
            catch (Exception e) when (e is ModelRefusedException or IOException or UnauthorizedAccessException)
            {
                Refuse(missing, e);
                return false;
            }
        }

        return true;
    }

    private async Task TellAsync(ServingPlan plan, List<IServingRetriever> loaded, CancellationToken cancellationToken)
    {
        foreach (var model in loaded)
        {
            metrics.ModelLoad("active");
            logger.IndexActive(model.ModelVersion, model.Index);
        }

        if (served?.Active != plan.Active)
        {
            listsWritten = null;
            var (scenarios, device) = await host.RunOnAllAsync(
                models => (models.Active.Scenarios.Count, models.Active.Device), cancellationToken).ConfigureAwait(false);
            logger.ModelActive(plan.Active, scenarios, device);
        }

        if (plan.Id != plan.Active || served?.Id != served?.Active)
        {
            logger.PlanActive(plan.Id);
        }

        served = plan;
    }

    /// <summary>What is to be served now, without the models that were refused; null: nothing can be.</summary>
    private ServingPlan? Wanted()
    {
        string? active;
        try
        {
            active = source.ActiveVersion();
        }
        catch (Exception e) when (e is ModelRefusedException or IOException or UnauthorizedAccessException)
        {
            Refuse("(pointer)", e);
            active = host.Plan?.Active;
        }

        try
        {
            rollout = source.Rollout();
        }
        catch (Exception e) when (e is ModelRefusedException or IOException or UnauthorizedAccessException)
        {
            // What it said before holds on.
            Refuse("(rollout)", e);
        }

        active = active is null || IsRefused(active) ? host.Plan?.Active : active;
        return active is null ? null : new ServingPlan(active, new Rollout(
            rollout.Canary is { } canary && !IsRefused(canary.Version) ? canary : null,
            [.. rollout.Experiments.Where(e => !IsRefused(e.Version))]));
    }

    private bool IsRefused(string version) =>
        refused.TryGetValue(version, out var at) && clock.GetElapsedTime(at.At) < RetryRefused;

    private IServingRetriever Load(string version)
    {
        var retriever = source.Load(version);
        try
        {
            // The first passes of a model are slow; they are made here, while the old model still serves.
            foreach (var size in WarmUpBatches)
            {
                var now = clock.GetUtcNow();
                retriever.Retrieve(
                    [.. Enumerable.Range(0, size).Select(_ => new RetrievalRequest("", new UserHistory(), now))], settings.SetSize);
            }

            retriever.FallbackLists(settings.SetSize);
            return retriever;
        }
        catch (Exception e)
        {
            retriever.Dispose();
            throw new ModelRefusedException(version, $"fails at warm-up: {e.Message}", e);
        }
    }

    private void Refuse(string version, Exception e)
    {
        // What does not change is said, and counted, once in a while.
        if (refused.TryGetValue(version, out var before) && before.Problem == e.Message && IsRefused(version))
        {
            return;
        }

        metrics.ModelLoad("refused");
        refused[version] = (clock.GetTimestamp(), e.Message);
        logger.ModelRefused(e.Message, host.Version ?? "none");
    }

    private async Task WriteFallbacksAsync(CancellationToken cancellationToken)
    {
        // Shows that are gone from the catalog leave the lists too.
        var removed = host.Catalog?.Removed ?? 0;
        if (host.Version is null ||
            (listsWritten is { } at && removed == listsRemoved && clock.GetElapsedTime(at) < settings.FallbackInterval))
        {
            return;
        }

        try
        {
            var (version, lists) = await host.RunAsync(
                retriever => (retriever.ModelVersion, retriever.FallbackLists(settings.SetSize)), cancellationToken).ConfigureAwait(false);
            await fallbacks.WriteAsync(version, lists, cancellationToken).ConfigureAwait(false);
            fallbackTrouble.Over();
            listsWritten = clock.GetTimestamp();
            listsRemoved = removed;
        }
        catch (Exception e) when (e is RedisException or RedisCommandException or TimeoutException)
        {
            // The next poll tries again.
            metrics.Retry("store fallbacks", e.GetType().Name);
            fallbackTrouble.Failed(e.GetType().Name, e.Message);
        }
    }
}
