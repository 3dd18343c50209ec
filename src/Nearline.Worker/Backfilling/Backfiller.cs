using Confluent.Kafka;
using Microsoft.Extensions.Options;
using Nearline.Contracts;
using Nearline.Contracts.Refresh.V1;
using Nearline.Contracts.Storage.V1;
using Nearline.Worker.Models;
using Nearline.Worker.Options;
using Nearline.Worker.Telemetry;
using StackExchange.Redis;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Nearline.Worker.Backfilling;

/// <summary>
/// Does backfills: finds users by their states and sends a request to refresh for each. One worker of all does it at a
/// time; after each page it stores where it is, so that it or another goes on there. It sends no faster than asked for,
/// and nothing while requests wait: the workers process them when nothing else waits.
/// </summary>
internal sealed class Backfiller(
    BackfillStore store,
    StateScan scan,
    ModelHost models,
    WorkerMetrics metrics,
    IOptions<KafkaOptions> kafka,
    IOptions<WorkerOptions> worker,
    TimeProvider clock,
    ILogger<Backfiller> logger) : BackgroundService
{
    private const int LeastKeys = 10;
    private const int MostKeys = 1000;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan WaitForWorkers = TimeSpan.FromMilliseconds(100);

    private readonly WorkerOptions settings = worker.Value;
    private RefreshTopic? topic;
    private bool isLeader;
    private string? problem;
    private ulong seenPosition;

    public override void Dispose()
    {
        topic?.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings.KeyPrefix.Length > 0)
        {
            // The requests that it sends are for the workers that serve.
            return;
        }

        await models.FirstModel.WaitAsync(stoppingToken).ConfigureAwait(false);
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            do
            {
                try
                {
                    isLeader = await store.HoldLeaseAsync(stoppingToken).ConfigureAwait(false);
                    if (isLeader)
                    {
                        await LeadAsync(stoppingToken).ConfigureAwait(false);
                    }

                    problem = null;
                }
                catch (Exception e) when (e is RedisException or RedisCommandException or TimeoutException or KafkaException or NotSupportedException)
                {
                    // It goes on where it stood. What repeats is said once.
                    metrics.Retry("backfill", e.GetType().Name);
                    if (!string.Equals(problem, e.Message, StringComparison.Ordinal))
                    {
                        problem = e.Message;
                        logger.BackfillWaits(e.Message);
                    }
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        finally
        {
            if (isLeader)
            {
                try
                {
                    await store.GiveUpLeaseAsync().ConfigureAwait(false);
                }
                catch (Exception e) when (e is RedisException or RedisCommandException or TimeoutException)
                {
                    // It expires.
                }
            }
        }
    }

    private static bool IsByOperator(BackfillJob job) => job.Reason == BackfillReason.Operator;

    private async Task LeadAsync(CancellationToken cancellationToken)
    {
        var job = await store.JobAsync(cancellationToken).ConfigureAwait(false);
        var progress = await store.ProgressAsync(cancellationToken).ConfigureAwait(false);
        var isOpen = job is not null && (job.Id != progress.JobId || progress.FinishedAt is null);
        if (job is null || !isOpen || !IsByOperator(job))
        {
            // What one worker began another may be in the midst of; it is begun anew where something else is served now.
            var wanted = Wanted(progress, isOpen ? job : null);
            if (wanted is not null)
            {
                await store.SaveAsync(wanted, cancellationToken).ConfigureAwait(false);
                (job, isOpen) = (wanted, true);
            }
        }

        if (isOpen)
        {
            await RunAsync(job!, progress, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The backfill that the present state of models and catalog asks for; null: none, or the open one is it.</summary>
    private BackfillJob? Wanted(BackfillProgress progress, BackfillJob? open)
    {
        if (models.Plan is not { } plan || open?.Plan == plan.Id)
        {
            return null;
        }

        // Not in the midst of its changes, as at a worker's start.
        var position = models.CatalogPosition;
        (var isQuiet, seenPosition) = (position == seenPosition, position);
        var reason = settings.BackfillOnModel && (open?.Plan ?? progress.CoveredPlan) != plan.Id ? BackfillReason.Model
            : open?.Reason == BackfillReason.Catalog ? BackfillReason.Catalog
            : settings.BackfillOnCatalog > TimeSpan.Zero && isQuiet && progress.CoveredCatalogPosition < position &&
                !(clock.GetUtcNow() - progress.CoveredAt?.ToDateTimeOffset() < settings.BackfillOnCatalog) ? BackfillReason.Catalog
            : BackfillReason.Unspecified;
        return reason == BackfillReason.Unspecified ? null : new BackfillJob
        {
            Schema = StorageSchema.Newest,
            Id = Guid.NewGuid().ToString("N"),
            Reason = reason,
            RequestedAt = Timestamp.FromDateTimeOffset(clock.GetUtcNow()),
            Rate = settings.BackfillRate,
            OnlyOutdated = true,
            Plan = plan.Id,
            FromPlan = reason == BackfillReason.Model && open is null ? progress.CoveredPlan : "",
            CatalogPosition = reason == BackfillReason.Catalog ? position : 0,
        };
    }

    private async Task RunAsync(BackfillJob job, BackfillProgress progress, CancellationToken cancellationToken)
    {
        if (progress.JobId != job.Id)
        {
            progress = new BackfillProgress
            {
                Schema = StorageSchema.Newest,
                JobId = job.Id,
                TotalKeys = await scan.KeysAsync(cancellationToken).ConfigureAwait(false),
                StartedAt = Timestamp.FromDateTimeOffset(clock.GetUtcNow()),

                // From now on some sets are of the one plan and some of the other.
                CoveredPlan = IsByOperator(job) ? progress.CoveredPlan : "",
                CoveredCatalogPosition = progress.CoveredCatalogPosition,
                CoveredAt = progress.CoveredAt,
            };
            await SaveAsync(progress, cancellationToken).ConfigureAwait(false);
            logger.BackfillBegins(job.Reason.ToString(), job.Plan, job.Rate);
        }

        var since = (At: clock.GetTimestamp(), Users: progress.RequestedUsers);
        while (Open(progress) is { } shard)
        {
            if (!await GoesOnAsync(job, progress, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            await PageAsync(job, progress, shard, cancellationToken).ConfigureAwait(false);
            var ahead = TimeSpan.FromSeconds((progress.RequestedUsers - since.Users) / job.Rate) - clock.GetElapsedTime(since.At);
            if (ahead > TimeSpan.Zero)
            {
                await Task.Delay(ahead, clock, cancellationToken).ConfigureAwait(false);
            }

            if (Waiting(progress) > settings.BackfillAhead)
            {
                if (!await WaitForWorkersAsync(job, progress, settings.BackfillAhead, cancellationToken).ConfigureAwait(false))
                {
                    return;
                }

                // Time for which the workers were the slower ones is not made up for afterwards.
                since = (clock.GetTimestamp(), progress.RequestedUsers);
            }
        }

        if (!await WaitForWorkersAsync(job, progress, 0, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        progress.FinishedAt = Timestamp.FromDateTimeOffset(clock.GetUtcNow());
        if (!IsByOperator(job))
        {
            progress.CoveredPlan = job.Plan;
            if (job.Reason == BackfillReason.Catalog)
            {
                (progress.CoveredCatalogPosition, progress.CoveredAt) = (job.CatalogPosition, progress.FinishedAt);
            }
        }

        await SaveAsync(progress, cancellationToken).ConfigureAwait(false);
        logger.BackfillEnds(job.Reason.ToString(), progress.RequestedUsers);
    }

    /// <summary>The first master that is not wholly scanned; null: all are. Masters come and go in a cluster.</summary>
    private BackfillShard? Open(BackfillProgress progress)
    {
        foreach (var master in scan.Masters())
        {
            var shard = progress.Shards.FirstOrDefault(s => s.Endpoint == master);
            if (shard is null)
            {
                progress.Shards.Add(shard = new BackfillShard { Endpoint = master });
            }

            if (!shard.Done)
            {
                return shard;
            }
        }

        return null;
    }

    /// <summary>Waits until no more requests wait than this; false: the job does not go on.</summary>
    private async Task<bool> WaitForWorkersAsync(BackfillJob job, BackfillProgress progress, int most, CancellationToken cancellationToken)
    {
        while (Waiting(progress) > most)
        {
            await SaveAsync(progress, cancellationToken).ConfigureAwait(false);
            await Task.Delay(WaitForWorkers, clock, cancellationToken).ConfigureAwait(false);
            if (!await GoesOnAsync(job, progress, cancellationToken).ConfigureAwait(false))
            {
                return false;
            }
        }

        return true;
    }

    private long Waiting(BackfillProgress progress) =>
        progress.WaitingRequests = progress.RequestedUsers == 0 ? 0 : Topic().Waiting();

    private async Task<bool> GoesOnAsync(BackfillJob job, BackfillProgress progress, CancellationToken cancellationToken) =>
        await store.HoldLeaseAsync(cancellationToken).ConfigureAwait(false) &&
        !await IsOtherAsync(job, progress, cancellationToken).ConfigureAwait(false);

    /// <summary>Whether the job was replaced or cancelled meanwhile, or is not what is served any more.</summary>
    private async Task<bool> IsOtherAsync(BackfillJob job, BackfillProgress progress, CancellationToken cancellationToken)
    {
        var now = await store.JobAsync(cancellationToken).ConfigureAwait(false);
        if (now?.Id == job.Id && now.Cancelled)
        {
            progress.FinishedAt = Timestamp.FromDateTimeOffset(clock.GetUtcNow());
            await SaveAsync(progress, cancellationToken).ConfigureAwait(false);
            return true;
        }

        return now?.Id != job.Id || (job.Plan.Length > 0 && models.Plan?.Id != job.Plan);
    }

    private async Task PageAsync(BackfillJob job, BackfillProgress progress, BackfillShard shard, CancellationToken cancellationToken)
    {
        var keys = (int)Math.Clamp(job.Rate, LeastKeys, MostKeys);
        var (next, users) = await scan.PageAsync(shard.Endpoint, shard.Cursor, keys, cancellationToken).ConfigureAwait(false);
        var (from, to) = (ServingPlan.Parse(job.FromPlan), ServingPlan.Parse(job.Plan));
        var meant = users.Where(user => from is null || to is null || !from.IsSameFor(user, to)).ToList();
        if (meant.Count > 0)
        {
            var scope = new BackfillScope
            {
                Scenario = job.Scenario,
                OnlyOutdated = job.OnlyOutdated,
                Plan = job.Plan,
                CatalogPosition = job.CatalogPosition,
            };
            await Topic().SendAsync(meant, scope, clock.GetUtcNow(), cancellationToken).ConfigureAwait(false);
            metrics.Backfilled(meant.Count);
        }

        (shard.Cursor, shard.Done) = (next, next == 0);
        progress.RequestedUsers += meant.Count;
        progress.VisitedKeys = Math.Min(progress.TotalKeys, progress.VisitedKeys + keys);
        await SaveAsync(progress, cancellationToken).ConfigureAwait(false);
    }

    private Task SaveAsync(BackfillProgress progress, CancellationToken cancellationToken)
    {
        progress.UpdatedAt = Timestamp.FromDateTimeOffset(clock.GetUtcNow());
        return store.SaveAsync(progress, cancellationToken);
    }

    /// <summary>Made when it is needed: most of the time there is no backfill.</summary>
    private RefreshTopic Topic() => topic ??= new RefreshTopic(kafka.Value, logger);
}
