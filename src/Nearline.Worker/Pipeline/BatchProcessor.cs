using Microsoft.Extensions.Options;
using Nearline.Model.Behaviours;
using Nearline.Worker.Kafka;
using Nearline.Worker.Models;
using Nearline.Worker.Options;
using Nearline.Worker.State;
using Nearline.Worker.Telemetry;

namespace Nearline.Worker.Pipeline;

/// <summary>
/// Steps 2 to 8 of an event's way, batch after batch. A batch's offsets are released for commit only when everything
/// in it is stored or acknowledged by the dead-letter topic.
/// </summary>
internal sealed class BatchProcessor(
    BatchGatherer gatherer,
    BatchGate gate,
    UserStore store,
    DeadLetterProducer deadLetters,
    ModelHost models,
    Retries retries,
    WorkerMetrics metrics,
    IBatchHooks hooks,
    IOptions<WorkerOptions> options,
    TimeProvider clock,
    ILogger<BatchProcessor> logger)
{
    private readonly WorkerOptions settings = options.Value;
    private readonly IReadOnlySet<ActionKind> refreshing = options.Value.RefreshingKinds();
    private readonly Retrieval retrieval = new(models, metrics, options.Value.SetSize, clock);

    /// <summary>Processes batches until stopped.</summary>
    /// <param name="stopping">Stop after the batch in work.</param>
    /// <param name="abort">Give up the batch in work, too; it is delivered again.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken abort)
    {
        while (!stopping.IsCancellationRequested)
        {
            List<WorkItem> gathered;
            try
            {
                gathered = await gatherer.NextAsync(stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }

            var items = gate.Enter(gathered, item => item.Source.Lease);
            var isDone = false;
            try
            {
                if (items.Count > 0)
                {
                    await ProcessAsync(items, abort).ConfigureAwait(false);
                }

                isDone = true;
            }
            catch (OperationCanceledException) when (abort.IsCancellationRequested)
            {
                logger.BatchAbandoned(items.Count);
                return;
            }
            finally
            {
                gate.Leave(isDone ? () => Release(items) : null);
            }
        }
    }

    private static void Release(List<WorkItem> items)
    {
        foreach (var group in items.GroupBy(item => item.Source.Lease))
        {
            group.Key.Done(group.Max(item => item.Source.Record.Offset) + 1, group.Count());
        }
    }

    private static List<UserWork> ByUser(List<WorkItem> items)
    {
        var users = new Dictionary<string, UserWork>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (item.UserId is { } userId)
            {
                if (!users.TryGetValue(userId, out var work))
                {
                    users.Add(userId, work = new UserWork(userId));
                }

                work.Items.Add(item);
            }
        }

        return [.. users.Values];
    }

    private async Task ProcessAsync(List<WorkItem> items, CancellationToken abort)
    {
        using var activity = WorkerTracing.StartBatch(items.Where(i => i.Event is not null).Select(i => i.Event!), items.Count);
        var started = clock.GetTimestamp();
        var letters = items.Where(item => item.Rejection is not null)
            .Select(item => new DeadLetter(item.Source.Record, item.Rejection!.Message, item.Rejection.Field, 1))
            .ToList();
        var pending = ByUser(items);
        metrics.Batch(items.Count, pending.Count);
        while (pending.Count > 0)
        {
            var failures = await FoldAsync(pending, abort).ConfigureAwait(false);
            var folded = pending.Except(failures.Select(f => f.Work)).ToList();
            var (conflicts, unservable) = await StoreAsync(folded, abort).ConfigureAwait(false);
            letters.AddRange(failures.Concat(unservable).SelectMany(Letters));
            pending = conflicts;
        }

        if (letters.Count > 0)
        {
            await retries.RunAsync("dead-letter", token => deadLetters.SendAsync(letters, token), abort).ConfigureAwait(false);
            foreach (var letter in letters)
            {
                metrics.DeadLettered(letter.Reason);
                logger.DeadLettered(letter.Record.Origin, letter.Error);
            }
        }

        await hooks.BeforeCommitAsync().ConfigureAwait(false);
        metrics.Processed(clock.GetElapsedTime(started));
    }

    private static IEnumerable<DeadLetter> Letters(BatchFailure failure) =>
        failure.Work.Items.Select(item => new DeadLetter(item.Source.Record, failure.Error, failure.Reason, failure.Attempts));

    /// <summary>Steps 3 and 4. Returns the users whose stored state cannot be read.</summary>
    private async Task<List<BatchFailure>> FoldAsync(List<UserWork> work, CancellationToken abort)
    {
        using var step = WorkerTracing.StartStep("load and fold states");
        var started = clock.GetTimestamp();
        var stored = await retries.RunAsync(
            "load states", token => store.LoadAsync(work.ConvertAll(w => w.UserId), token), abort).ConfigureAwait(false);
        metrics.RedisRead(clock.GetElapsedTime(started));
        var failures = new List<BatchFailure>();
        for (var i = 0; i < work.Count; i++)
        {
            try
            {
                work[i].Fold(stored[i], settings.RecentEventWindow, refreshing);
            }
            catch (UnreadableStateException e)
            {
                failures.Add(new BatchFailure(work[i], "state", $"state: {e.Message}", 1));
            }
        }

        return failures;
    }

    /// <summary>Steps 5 to 7. Returns the users who must be done again, since another worker wrote, and those who cannot be served.</summary>
    private async Task<(List<UserWork> Conflicts, IReadOnlyList<BatchFailure> Failures)> StoreAsync(
        List<UserWork> work, CancellationToken abort)
    {
        RetrievalOutcome outcome;
        using (WorkerTracing.StartStep("retrieve"))
        {
            outcome = await retries.RunAsync("retrieve", token => retrieval.RunAsync(work, token), abort).ConfigureAwait(false);
        }

        var failed = outcome.Failures.Select(f => f.Work).ToHashSet();
        var done = work.Where(w => !w.NeedsWrite && !failed.Contains(w)).ToList();
        var writing = work.Where(w => w.NeedsWrite && !failed.Contains(w)).ToList();
        var conflicts = new List<UserWork>();
        await hooks.BeforeWriteAsync(writing).ConfigureAwait(false);
        if (writing.Count > 0)
        {
            using var step = WorkerTracing.StartStep("store");
            var started = clock.GetTimestamp();
            var now = clock.GetUtcNow();
            var writes = writing.ConvertAll(w => WriteOf(w, outcome, now));
            var written = await retries.RunAsync("store", token => store.WriteAsync(writes, token), abort).ConfigureAwait(false);
            metrics.RedisWrite(clock.GetElapsedTime(started));
            for (var i = 0; i < writing.Count; i++)
            {
                if (written[i])
                {
                    done.Add(writing[i]);
                    CountSets(writing[i], writes[i]);
                }
                else
                {
                    metrics.Conflict();
                    conflicts.Add(writing[i]);
                }
            }
        }

        done.ForEach(Count);
        CountUnknown(outcome, done);
        return (conflicts, outcome.Failures);
    }

    private static UserWrite WriteOf(UserWork work, RetrievalOutcome outcome, DateTimeOffset now)
    {
        var user = work.User;
        var before = user.SetScenarios;
        var sets = outcome.Sets.TryGetValue(work, out var candidates)
            ? candidates.Select(c => (c.Scenario, RetrievalSetMapper.Personal(
                c, outcome.ModelVersion, now, work.Trigger?.EventId ?? "", work.Trigger?.Action.Time))).ToList()
            : [];
        string[] removed = work.NeedsSets || work.WasDeleted ? [.. before.Except(sets.Select(s => s.Scenario))] : [];
        user.SetScenarios = work.NeedsSets || work.WasDeleted ? [.. sets.Select(s => s.Scenario)] : before;
        return new UserWrite(
            user.UserId,
            work.ExpectedRevision,
            UserStateMapper.ToMessage(user, now),
            RetrievalSetMapper.Watched(user.History),
            sets,
            removed,
            sets.Count > 0 || removed.Length > 0 ? outcome.ModelVersion : "");
    }

    private void CountSets(UserWork work, UserWrite write)
    {
        var now = clock.GetUtcNow();
        foreach (var (scenario, _) in write.Sets)
        {
            metrics.SetWritten(scenario);
        }

        foreach (var (userEvent, outcome) in work.Events)
        {
            if (outcome == FoldOutcome.Applied && refreshing.Contains(userEvent.Action.Kind))
            {
                metrics.Servable(userEvent.Action.Time, userEvent.ArrivedAt, now);
            }
        }
    }

    private void Count(UserWork work)
    {
        foreach (var (userEvent, outcome) in work.Events)
        {
            metrics.Event(userEvent.Action.Kind, outcome);
        }

        foreach (var item in work.Items)
        {
            if (item.Refresh is { } refresh)
            {
                metrics.Refresh(refresh.Reason.ToString(), work.NeedsSets ? "rebuilt" : "no_state");
            }
        }
    }

    private void CountUnknown(RetrievalOutcome outcome, List<UserWork> done)
    {
        var stored = done.ToHashSet();
        var unknown = outcome.UnknownShows.Where(u => stored.Contains(u.Work)).Select(u => u.Event.Action).ToList();
        foreach (var action in unknown)
        {
            metrics.UnknownShow(action.Kind);
        }

        if (unknown.Count > 0)
        {
            // One line a batch: a new show can be in very many events before the next model knows it.
            logger.UnknownShow(ActionNames.Of(unknown[0].Kind), unknown[0].ShowId!, outcome.ModelVersion, unknown.Count);
        }
    }
}
