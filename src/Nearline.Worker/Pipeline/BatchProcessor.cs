using Microsoft.Extensions.Options;
using Nearline.Model.Behaviours;
using Nearline.Worker.Kafka;
using Nearline.Worker.Models;
using Nearline.Worker.Options;
using Nearline.Worker.State;
using Nearline.Worker.Telemetry;

namespace Nearline.Worker.Pipeline;

/// <summary>
/// Steps 2 to 8 of an event's way. Batches follow one another through three stages, each of which has one batch at a
/// time: states are loaded and folded, sets are made, all is written. A batch's offsets are released for commit only when
/// everything in it is stored or acknowledged by the dead-letter topic, and never before those of the batch ahead.
/// </summary>
internal sealed class BatchProcessor(
    BatchGatherer gatherer,
    BatchGate gate,
    DueSets due,
    UserStore store,
    ReplicaCheck replicas,
    DeadLetterProducer deadLetters,
    ModelHost models,
    Retries retries,
    WorkerMetrics metrics,
    IBatchHooks hooks,
    IOptions<WorkerOptions> options,
    TimeProvider clock,
    ILogger<BatchProcessor> logger)
{
    private static readonly IReadOnlySet<string> NoUsers = new HashSet<string>(StringComparer.Ordinal);

    private readonly WorkerOptions settings = options.Value;
    private readonly SetTriggers triggers = SetTriggers.Of(options.Value);
    private readonly Retrieval retrieval = new(models, metrics, options.Value.SetSize, clock, logger);

    /// <summary>Processes batches until stopped.</summary>
    /// <param name="stopping">Stop after the batches in work.</param>
    /// <param name="abort">Give up the batches in work, too; they are delivered again.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken abort)
    {
        BatchInWork? last = null;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            while (!ending.IsCancellationRequested)
            {
                // The one ahead is in the model, so this one is the next that loads.
                await (last?.Started ?? Task.CompletedTask).ConfigureAwait(false);
                var gathered = await gatherer.NextAsync(last?.Computed ?? Task.CompletedTask, ending.Token).ConfigureAwait(false);
                var (items, pass) = gate.Enter(gathered, item => item.Source.Lease);
                last = new BatchInWork(items, pass, last);
                last.Run(RunAsync(last, ending, abort));
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
        }

        try
        {
            await (last?.Done ?? Task.CompletedTask).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
        }
    }

    private async Task RunAsync(BatchInWork batch, CancellationTokenSource ending, CancellationToken abort)
    {
        var isDone = false;
        try
        {
            await ProcessAsync(batch, abort).ConfigureAwait(false);
            isDone = true;
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
            logger.BatchAbandoned(batch.Items.Count);
            throw;
        }
        catch
        {
            // Nothing after it may be committed: no use in gathering more.
            await ending.CancelAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            gate.Leave(batch.Pass, isDone ? () => Release(batch) : null);
        }
    }

    private void Release(BatchInWork batch)
    {
        // First hold back what reminds of sets that are due, then count the rest as done.
        foreach (var work in batch.Written)
        {
            if (work.User.Pending is { } pending)
            {
                due.Add(work.UserId, work.Items[^1].Source, pending.Due);
            }
            else
            {
                due.Settle(work.UserId);
            }
        }

        foreach (var group in batch.Items.Where(item => !item.IsReminder).GroupBy(item => item.Source.Lease))
        {
            group.Key.Done(group.Max(item => item.Source.Record.Offset) + 1, group.Count());
        }

        foreach (var held in batch.Items.Where(item => item.IsHeld))
        {
            held.Source.Lease.LetGo(held.Source.Record.Offset);
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

    private async Task ProcessAsync(BatchInWork batch, CancellationToken abort)
    {
        var items = batch.Items;
        using var activity = WorkerTracing.StartBatch(items.Where(i => i.Event is not null).Select(i => i.Event!), items.Count);
        var stages = new StageClock(clock);
        var letters = items.Where(item => item.Rejection is not null)
            .Select(item => new DeadLetter(item.Source.Record, item.Rejection!.Message, item.Rejection.Field, 1))
            .ToList();
        var users = ByUser(items);
        metrics.Batch(items.Count, users.Count);

        // What a batch ahead is about to write cannot be read yet.
        var (early, late) = batch.Split(users);
        var failures = await FoldAsync(early, abort).ConfigureAwait(false);
        stages.End(StageNames.Load);
        await batch.Ahead.Computed.ConfigureAwait(false);
        batch.Start();
        stages.End(StageNames.WaitForModel);
        if (late.Count > 0)
        {
            await batch.Ahead.Done.ConfigureAwait(false);
            stages.End(StageNames.WaitForWrite);
            failures.AddRange(await FoldAsync(late, abort).ConfigureAwait(false));
            stages.End(StageNames.Load);
        }

        var folded = users.Except(failures.Select(f => f.Work)).ToList();
        var outcome = await RetrieveAsync(folded, stages, abort).ConfigureAwait(false);
        batch.Compute();
        await batch.Ahead.Done.ConfigureAwait(false);
        stages.End(StageNames.WaitForWrite);
        letters.AddRange(failures.Concat(outcome.Failures).SelectMany(Letters));
        foreach (var overdue in outcome.Failures.Where(f => f.Work.Items.Exists(item => item.IsReminder)))
        {
            logger.SetsNotRenewed(overdue.Error);
        }

        batch.Written.AddRange(folded.Except(outcome.Failures.Select(f => f.Work)));
        var conflicts = await StoreAsync(folded, outcome, stages, abort).ConfigureAwait(false);
        while (conflicts.Count > 0)
        {
            failures = await FoldAsync(conflicts, abort).ConfigureAwait(false);
            stages.End(StageNames.Load);
            folded = [.. conflicts.Except(failures.Select(f => f.Work))];
            outcome = await RetrieveAsync(folded, stages, abort).ConfigureAwait(false);
            letters.AddRange(failures.Concat(outcome.Failures).SelectMany(Letters));
            conflicts = await StoreAsync(folded, outcome, stages, abort).ConfigureAwait(false);
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
        metrics.Processed(clock.GetElapsedTime(stages.Begun));
    }

    private static IEnumerable<DeadLetter> Letters(BatchFailure failure) =>
        failure.Work.Items.Where(item => !item.IsReminder).Select(item => new DeadLetter(item.Source.Record, failure.Error, failure.Reason, failure.Attempts));

    /// <summary>Steps 3 and 4. Returns the users whose stored state cannot be read.</summary>
    private async Task<List<BatchFailure>> FoldAsync(List<UserWork> work, CancellationToken abort)
    {
        if (work.Count == 0)
        {
            return [];
        }

        using var step = WorkerTracing.StartStep("load and fold states");
        var started = clock.GetTimestamp();
        var stored = await retries.RedisAsync(
            "load states", token => store.LoadAsync(work.ConvertAll(w => w.UserId), token), abort).ConfigureAwait(false);
        metrics.RedisRead(clock.GetElapsedTime(started));
        var failures = new List<BatchFailure>();
        var now = clock.GetUtcNow();
        for (var i = 0; i < work.Count; i++)
        {
            try
            {
                work[i].Fold(stored[i], settings.RecentEventWindow, due.HasRoom ? triggers : triggers.AtOnce, models.Plan, now);
            }
            catch (UnreadableStateException e)
            {
                failures.Add(new BatchFailure(work[i], "state", $"state: {e.Message}", 1));
            }
        }

        return failures;
    }

    /// <summary>Steps 5 and 6.</summary>
    private async Task<RetrievalOutcome> RetrieveAsync(List<UserWork> work, StageClock stages, CancellationToken abort)
    {
        using var step = WorkerTracing.StartStep("retrieve");
        var outcome = await retries.RunAsync("retrieve", token => retrieval.RunAsync(work, token), abort).ConfigureAwait(false);
        stages.End(StageNames.Retrieve);
        stages.Split(StageNames.Retrieve, StageNames.Tower, outcome.TowerTime);
        stages.Split(StageNames.Retrieve, StageNames.Index, outcome.IndexTime);
        return outcome;
    }

    /// <summary>Step 7. Returns the users who must be done again, since another worker wrote.</summary>
    private async Task<List<UserWork>> StoreAsync(
        List<UserWork> work, RetrievalOutcome outcome, StageClock stages, CancellationToken abort)
    {
        var failed = outcome.Failures.Select(f => f.Work).ToHashSet();
        var done = work.Where(w => !w.NeedsWrite && !failed.Contains(w)).ToList();
        var writing = work.Where(w => w.NeedsWrite && !failed.Contains(w)).ToList();
        var conflicts = new List<UserWork>();
        await hooks.BeforeWriteAsync(writing).ConfigureAwait(false);
        if (settings.ConfirmOnReplica)
        {
            var lost = await LostAsync(done.Select(w => (w.UserId, w.User.Revision)), abort).ConfigureAwait(false);
            conflicts.AddRange(done.Where(w => lost.Contains(w.UserId)));
            done.RemoveAll(w => lost.Contains(w.UserId));
        }

        if (writing.Count > 0)
        {
            using var step = WorkerTracing.StartStep("store");
            var started = clock.GetTimestamp();
            var now = clock.GetUtcNow();
            var writes = writing.ConvertAll(w => UserWrites.Of(w, outcome, now));
            var written = await retries.RedisAsync("store", token => store.WriteAsync(writes, token), abort).ConfigureAwait(false);
            var lost = settings.ConfirmOnReplica
                ? await LostAsync(writes.Where((_, i) => written[i]).Select(w => (w.UserId, w.State.Revision)), abort).ConfigureAwait(false)
                : NoUsers;
            metrics.RedisWrite(clock.GetElapsedTime(started));
            stages.End(StageNames.Write);
            for (var i = 0; i < writing.Count; i++)
            {
                if (written[i] && !lost.Contains(writing[i].UserId))
                {
                    done.Add(writing[i]);
                    CountSets(writing[i], writes[i], stages);
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
        return conflicts;
    }

    /// <summary>Waits until replicas have the states. Returns the users whose state a failover took away.</summary>
    private async Task<IReadOnlySet<string>> LostAsync(IEnumerable<(string UserId, ulong Revision)> states, CancellationToken abort)
    {
        // Of a user without a state there is nothing to lose.
        var stored = states.Where(state => state.Revision > 0).ToList();
        return stored.Count == 0
            ? NoUsers
            : await retries.RedisAsync("confirm on replica", token => replicas.LostAsync(stored, token), abort).ConfigureAwait(false);
    }

    private void CountSets(UserWork work, UserWrite write, StageClock stages)
    {
        var now = clock.GetUtcNow();
        foreach (var set in write.Sets)
        {
            metrics.SetWritten(set.Scenario, set.Variant, set.Set.ModelVersion);
        }

        if (work.IsPutOff)
        {
            metrics.PutOff();
            return;
        }

        if (work.IsOverdue)
        {
            metrics.Servable(work.Trigger!.Time, now);
            metrics.StagesPutOff(now - work.Trigger.Time, stages.Durations);
        }

        foreach (var (userEvent, receivedAt, outcome) in work.ReceivedEvents)
        {
            if (work.NeedsSets && outcome == FoldOutcome.Applied && triggers.Contains(userEvent.Action.Kind))
            {
                metrics.Servable(userEvent.Action.Time, userEvent.ArrivedAt, now);
                metrics.Stages(now - userEvent.Action.Time, clock.GetElapsedTime(receivedAt, stages.Begun), stages.Durations);
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
                metrics.Refresh(refresh.Reason.ToString(), work.RefreshOutcome);
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
