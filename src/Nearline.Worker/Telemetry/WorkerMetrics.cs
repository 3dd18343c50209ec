using System.Diagnostics.Metrics;
using System.Globalization;
using Confluent.Kafka;
using Nearline.Model.Behaviours;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using Nearline.Worker.Models;
using Nearline.Worker.State;

namespace Nearline.Worker.Telemetry;

/// <summary>The worker's instruments. Thread-safe.</summary>
internal sealed class WorkerMetrics : IDisposable
{
    private static readonly InstrumentAdvice<double> FreshnessBounds = new()
    {
        HistogramBucketBoundaries = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600],
    };

    private static readonly InstrumentAdvice<double> WorkBounds = new()
    {
        HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private static readonly InstrumentAdvice<int> SizeBounds = new()
    {
        HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048],
    };

    private readonly Meter meter;
    private readonly Counter<long> consumed;
    private readonly Counter<long> events;
    private readonly Counter<long> deadLetters;
    private readonly Counter<long> unknownShows;
    private readonly Counter<long> setsWritten;
    private readonly Counter<long> refreshes;
    private readonly Counter<long> putOff;
    private readonly Counter<long> backfilled;
    private readonly Counter<long> conflicts;
    private readonly Counter<long> retries;
    private readonly Counter<long> kafkaErrors;
    private readonly Counter<long> modelLoads;
    private readonly Counter<long> catalogRecords;
    private readonly Histogram<double> eventToServable;
    private readonly Histogram<double> arrivalToServable;
    private readonly Histogram<double> stage;
    private readonly Histogram<double> process;
    private readonly Histogram<double> tower;
    private readonly Histogram<double> index;
    private readonly Histogram<double> inspection;
    private readonly Histogram<double> redisRead;
    private readonly Histogram<double> redisWrite;
    private readonly Histogram<int> batchEvents;
    private readonly Histogram<int> batchUsers;

    public WorkerMetrics(IMeterFactory factory)
    {
        meter = factory.Create(MetricNames.Source);
        consumed = Counter(MetricNames.ConsumedMessages, "{message}", "Records received from Kafka.");
        events = Counter(MetricNames.Events, "{event}", "Events by action and by what became of them.");
        deadLetters = Counter(MetricNames.DeadLetters, "{record}", "Records sent to the dead-letter topic, by the field that is wrong.");
        unknownShows = Counter(MetricNames.UnknownShows, "{event}", "Events about a show that the active model does not have.");
        setsWritten = Counter(MetricNames.SetsWritten, "{set}", "Retrieval sets written, by scenario.");
        refreshes = Counter(MetricNames.Refreshes, "{request}", "Refresh requests, by reason and by what became of them.");
        putOff = Counter(MetricNames.SetsPutOff, "{user}", "Times that a user's sets waited, since others had been made a moment before.");
        backfilled = Counter(MetricNames.BackfillRequests, "{request}", "Requests to refresh that this worker sent for a backfill.");
        conflicts = Counter(MetricNames.StateConflicts, "{write}", "Writes refused because another worker had written the state.");
        retries = Counter(MetricNames.Retries, "{attempt}", "Failed attempts that are made again, by operation.");
        kafkaErrors = Counter(MetricNames.KafkaErrors, "{error}", "Errors that the Kafka clients report; they retry by themselves.");
        modelLoads = Counter(MetricNames.ModelLoads, "{load}", "Models taken over or refused.");
        catalogRecords = Counter(MetricNames.CatalogRecords, "{record}", "Records of the catalog, by what became of them.");
        eventToServable = Seconds(
            MetricNames.EventToServable, "From an event's own time until its sets were stored.", FreshnessBounds);
        arrivalToServable = Seconds(
            MetricNames.ArrivalToServable, "From the record's timestamp in Kafka until its sets were stored.", FreshnessBounds);
        stage = Seconds(
            MetricNames.StageDuration, "What an event spent in each stage of its way; the stages' sums are that of event to servable.", WorkBounds);
        process = Seconds(MetricNames.ProcessDuration, "One batch, from decoded to stored.", WorkBounds);
        tower = Seconds(MetricNames.TowerDuration, "User tower, one batch.", WorkBounds);
        index = Seconds(MetricNames.IndexDuration, "Index search, one batch.", WorkBounds);
        inspection = Seconds(MetricNames.InspectionDuration, "A call of the inspection service, its wait for the model included.", WorkBounds);
        redisRead = Seconds(MetricNames.RedisReadDuration, "Loading the states of one batch.", WorkBounds);
        redisWrite = Seconds(MetricNames.RedisWriteDuration, "Storing states and sets of one batch.", WorkBounds);
        batchEvents = meter.CreateHistogram(MetricNames.BatchEvents, "{event}", "Records in a batch.", null, SizeBounds);
        batchUsers = meter.CreateHistogram(MetricNames.BatchUsers, "{user}", "Users in a batch.", null, SizeBounds);
    }

    /// <summary>Observes what the consumer knows about itself.</summary>
    public void ObserveConsumer(
        Func<IReadOnlyCollection<KeyValuePair<TopicPartition, long>>> lag, Func<double> pollAgeSeconds, Func<int> buffered, string group)
    {
        meter.CreateObservableGauge(
            MetricNames.ConsumerLag,
            () => lag().Select(entry => new Measurement<long>(
                entry.Value,
                Tag(MetricNames.Destination, entry.Key.Topic),
                Tag(MetricNames.DestinationPartition, entry.Key.Partition.Value.ToString(CultureInfo.InvariantCulture)),
                Tag(MetricNames.ConsumerGroup, group))),
            "{message}",
            "Records in the partition that are not yet processed.");
        meter.CreateObservableGauge(MetricNames.PollAge, pollAgeSeconds, "s", "Time since the consumer last polled.");
        meter.CreateObservableGauge(MetricNames.Buffered, buffered, "{message}", "Records consumed and waiting for a batch.");
    }

    /// <summary>Observes how many users' sets are due in a moment.</summary>
    public void ObserveDue(Func<int> users) => meter.CreateObservableGauge(
        MetricNames.SetsWaiting, users, "{user}", "Users whose sets wait, since others were made a moment before.");

    /// <summary>Observes how many tensors native memory holds.</summary>
    public void ObserveNativeTensors(Func<long> count) => meter.CreateObservableGauge(
        MetricNames.NativeTensors, count, "{tensor}", "Tensors that native memory holds; constant between batches, or there is a leak.");

    /// <summary>Observes whether Redis is left alone: 0 closed, 1 open, 2 half open, 3 isolated.</summary>
    public void ObserveRedisBreaker(Func<int> state) => meter.CreateObservableGauge(
        MetricNames.RedisBreaker, state, unit: null, "The circuit breaker before Redis: 0 closed, 1 open, 2 half open.");

    /// <summary>Observes which models are served, and to which share of the users.</summary>
    public void ObserveModels(Func<ServingPlan?> plan)
    {
        meter.CreateObservableGauge(
            MetricNames.ModelInfo,
            () => Roles(plan()).Select(r => new Measurement<int>(1, Tag(MetricNames.ModelVersion, r.Version), Tag(MetricNames.Role, r.Role))),
            unit: null,
            "Always 1; version and role (active, canary, or an experiment's name) of a model in memory are labels.");
        meter.CreateObservableGauge(
            MetricNames.ModelShare,
            () => Roles(plan()).Select(r => new Measurement<double>(r.Percent / 100, Tag(MetricNames.ModelVersion, r.Version), Tag(MetricNames.Role, r.Role))),
            "1",
            "The share of users that a model is to make sets for.");
    }

    /// <summary>Observes what searches the active model's rows.</summary>
    public void ObserveIndex(Func<IndexInfo?> index)
    {
        meter.CreateObservableGauge(
            MetricNames.IndexInfo,
            () => index() is { } now
                ?
                [
                    new Measurement<int>(
                        1,
                        Tag(MetricNames.Backend, now.Backend),
                        Tag(MetricNames.Dimension, now.Dimension.ToString(CultureInfo.InvariantCulture))),
                ]
                : Array.Empty<Measurement<int>>(),
            unit: null,
            "Always 1; backend and width of the index in use are labels.");
        meter.CreateObservableGauge(
            MetricNames.IndexRows,
            () => index() is { } now ? [new Measurement<int>(now.Rows)] : Array.Empty<Measurement<int>>(),
            "{show}",
            "Shows of the model in its index.");
        meter.CreateObservableGauge(
            MetricNames.IndexMemory,
            () => index() is { } now ? [new Measurement<long>(now.MemoryBytes)] : Array.Empty<Measurement<long>>(),
            "By",
            "What the index holds, in the host's and the device's memory together.");
        meter.CreateObservableGauge(
            MetricNames.IndexMeasured,
            () => (index()?.Timings ?? []).Select(t => new Measurement<double>(t.Milliseconds / 1000, Tag(MetricNames.Backend, t.Backend))),
            "s",
            "A query of a batch of 16, as measured with each backend that was tried when the model was loaded.");
    }

    /// <summary>Observes how far the catalog is from the model's; nothing before its first record.</summary>
    public void ObserveCatalog(Func<CatalogState?> state) => meter.CreateObservableGauge(
        MetricNames.CatalogShows,
        () => state() is { } now
            ?
            [
                new Measurement<int>(now.Added, Tag(MetricNames.Kind, "added")),
                new Measurement<int>(now.Removed, Tag(MetricNames.Kind, "removed")),
                new Measurement<int>(now.Unreachable.Count, Tag(MetricNames.Kind, "unreachable")),
            ]
            : Array.Empty<Measurement<int>>(),
        "{show}",
        "Shows in the catalog that the active model was not trained with (added, and unreachable where nothing is known of them), and shows of it that are gone (removed).");

    /// <param name="outcome"><c>upserted</c>, <c>removed</c> or <c>rejected</c>.</param>
    public void CatalogRecord(string outcome) => catalogRecords.Add(1, Tag(MetricNames.Outcome, outcome));

    public void Consumed(string topic) => consumed.Add(
        1, Tag(MetricNames.MessagingSystem, "kafka"), Tag(MetricNames.OperationName, "poll"), Tag(MetricNames.Destination, topic));

    public void Event(ActionKind kind, FoldOutcome outcome) => events.Add(
        1,
        Tag(MetricNames.Action, ActionNames.Of(kind)),
        Tag(MetricNames.Outcome, outcome switch
        {
            FoldOutcome.Applied => "applied",
            FoldOutcome.DuplicateOffset or FoldOutcome.DuplicateId => "duplicate",
            _ => "stale_deleted",
        }));

    /// <param name="reason">The field that is wrong, or what failed; from a bounded set.</param>
    /// <param name="action">The action, where the record told one.</param>
    public void DeadLettered(string reason, string action = "unknown")
    {
        deadLetters.Add(1, Tag(MetricNames.Reason, reason));
        events.Add(1, Tag(MetricNames.Action, action), Tag(MetricNames.Outcome, "dead_lettered"));
    }

    public void UnknownShow(ActionKind kind) => unknownShows.Add(1, Tag(MetricNames.Action, ActionNames.Of(kind)));

    /// <param name="scenario">The scenario.</param>
    /// <param name="variant">The experiment that it is for; empty: the default set.</param>
    /// <param name="version">By which model.</param>
    public void SetWritten(string scenario, string variant, string version) => setsWritten.Add(
        1, Tag(MetricNames.Scenario, scenario), Tag(MetricNames.Variant, variant), Tag(MetricNames.ModelVersion, version));

    public void Refresh(string reason, string outcome) =>
        refreshes.Add(1, Tag(MetricNames.Reason, reason), Tag(MetricNames.Outcome, outcome));

    public void Backfilled(int users) => backfilled.Add(users);

    public void PutOff() => putOff.Add(1);

    public void Conflict() => conflicts.Add(1);

    public void Retry(string operation, string error) =>
        retries.Add(1, Tag(MetricNames.Operation, operation), Tag(MetricNames.ErrorType, error));

    public void KafkaError(string error) => kafkaErrors.Add(1, Tag(MetricNames.ErrorType, error));

    /// <param name="outcome"><c>active</c> or <c>refused</c>.</param>
    public void ModelLoad(string outcome) => modelLoads.Add(1, Tag(MetricNames.Outcome, outcome));

    public void Servable(DateTimeOffset eventTime, DateTimeOffset arrival, DateTimeOffset now)
    {
        // A producer's clock may be ahead of ours; a negative duration would only distort the sum.
        eventToServable.Record(Math.Max(0, (now - eventTime).TotalSeconds));
        arrivalToServable.Record(Math.Max(0, (now - arrival).TotalSeconds));
    }

    public void Servable(DateTimeOffset eventTime, DateTimeOffset now) =>
        eventToServable.Record(Math.Max(0, (now - eventTime).TotalSeconds));

    /// <param name="whole">From the event's own time until its sets were stored.</param>
    /// <param name="gathering">From the consumer to the batch.</param>
    /// <param name="batch">What the batch's stages took.</param>
    public void Stages(TimeSpan whole, TimeSpan gathering, IReadOnlyDictionary<string, TimeSpan> batch)
    {
        Stage(StageNames.Gather, gathering);
        Stages(whole - gathering, StageNames.Arrive, batch);
    }

    /// <summary>The stages of sets that were put off.</summary>
    public void StagesPutOff(TimeSpan whole, IReadOnlyDictionary<string, TimeSpan> batch) => Stages(whole, StageNames.Debounce, batch);

    public void Batch(int records, int users)
    {
        batchEvents.Record(records);
        batchUsers.Record(users);
    }

    public void Processed(TimeSpan elapsed) => process.Record(
        elapsed.TotalSeconds, Tag(MetricNames.MessagingSystem, "kafka"), Tag(MetricNames.OperationName, "process"));

    public void Retrieved(TimeSpan towerTime, TimeSpan indexTime)
    {
        tower.Record(towerTime.TotalSeconds);
        index.Record(indexTime.TotalSeconds);
    }

    public void Inspected(string method, string status, TimeSpan duration) =>
        inspection.Record(duration.TotalSeconds, Tag(MetricNames.Method, method), Tag(MetricNames.Outcome, status));

    public void RedisRead(TimeSpan elapsed) => redisRead.Record(elapsed.TotalSeconds);

    public void RedisWrite(TimeSpan elapsed) => redisWrite.Record(elapsed.TotalSeconds);

    public void Dispose() => meter.Dispose();

    /// <summary>What the batch's stages do not account for is the first stage's.</summary>
    private void Stages(TimeSpan whole, string first, IReadOnlyDictionary<string, TimeSpan> batch)
    {
        foreach (var (name, duration) in batch)
        {
            Stage(name, duration);
            whole -= duration;
        }

        Stage(first, whole);
    }

    private void Stage(string name, TimeSpan duration) =>
        stage.Record(Math.Max(0, duration.TotalSeconds), Tag(MetricNames.Stage, name));

    private static IEnumerable<(string Version, string Role, double Percent)> Roles(ServingPlan? plan)
    {
        if (plan is null)
        {
            yield break;
        }

        yield return (plan.Active, "active", 100 - (plan.Rollout.Canary?.Percent ?? 0));
        if (plan.Rollout.Canary is { } canary)
        {
            yield return (canary.Version, "canary", canary.Percent);
        }

        foreach (var experiment in plan.Rollout.Experiments)
        {
            yield return (experiment.Version, experiment.Name, experiment.Percent);
        }
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private Counter<long> Counter(string name, string unit, string description) =>
        meter.CreateCounter<long>(name, unit, description);

    private Histogram<double> Seconds(string name, string description, InstrumentAdvice<double> bounds) =>
        meter.CreateHistogram(name, "s", description, null, bounds);
}
