using Microsoft.Extensions.Options;
using Nearline.Model.Behaviours;
using Nearline.Model.Serving;
using Nearline.Worker.Options;
using Nearline.Worker.Pipeline;
using Nearline.Worker.Telemetry;
using StackExchange.Redis;

namespace Nearline.Worker.Models;

/// <summary>
/// Follows the pointer to the active model: loads and warms the new one beside the old, swaps, writes its fallback
/// lists. A model that is refused changes nothing; it is tried again when the pointer changes, or after a while.
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
    private string? refused;
    private long refusedAt;
    private long? listsWritten;
    private int listsRemoved;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        metrics.ObserveModel(() => host.Version);
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
        IServingRetriever next;
        string? wanted = null;
        try
        {
            wanted = source.ActiveVersion();
            if (wanted is null || IsKnown(wanted))
            {
                return;
            }

            next = Load(wanted);
        }
        catch (Exception e) when (e is ModelRefusedException or IOException or UnauthorizedAccessException)
        {
            Refuse(wanted ?? "(unknown)", e);
            return;
        }

        listsWritten = null;
        try
        {
            await host.SwapAsync(next, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // It cannot take the catalog as it stands.
            next.Dispose();
            Refuse(wanted, e);
            return;
        }

        refused = null;
        metrics.ModelLoad("active");
        logger.ModelActive(next.ModelVersion, next.Scenarios.Count, next.Device);
        logger.IndexActive(next.ModelVersion, next.Index);
    }

    private bool IsKnown(string wanted) =>
        string.Equals(wanted, host.Version, StringComparison.Ordinal) ||
        (string.Equals(wanted, refused, StringComparison.Ordinal) && clock.GetElapsedTime(refusedAt) < RetryRefused);

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
        metrics.ModelLoad("refused");
        refused = version;
        refusedAt = clock.GetTimestamp();
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
            listsWritten = clock.GetTimestamp();
            listsRemoved = removed;
        }
        catch (Exception e) when (e is RedisException or RedisCommandException or TimeoutException)
        {
            // The next poll tries again.
            metrics.Retry("store fallbacks", e.GetType().Name);
            logger.FallbacksNotWritten(e.Message);
        }
    }
}
