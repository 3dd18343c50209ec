namespace Nearline.Worker.Telemetry;

/// <summary>
/// Names of instruments and attributes in one place: semantic conventions move. Where one exists it is used, see
/// https://opentelemetry.io/docs/specs/semconv/messaging/.
/// </summary>
internal static class MetricNames
{
    /// <summary>The meter and the activity source.</summary>
    public const string Source = "Nearline.Worker";

    // Instruments of the conventions.
    public const string ConsumedMessages = "messaging.client.consumed.messages";
    public const string ProcessDuration = "messaging.process.duration";

    // Our own instruments.
    public const string EventToServable = "nearline.worker.event_to_servable.duration";
    public const string ArrivalToServable = "nearline.worker.arrival_to_servable.duration";
    public const string StageDuration = "nearline.worker.stage.duration";
    public const string Events = "nearline.worker.events";
    public const string DeadLetters = "nearline.worker.dead_letters";
    public const string UnknownShows = "nearline.worker.unknown_shows";
    public const string SetsWritten = "nearline.worker.sets_written";
    public const string SetsPutOff = "nearline.worker.sets_put_off";
    public const string SetsWaiting = "nearline.worker.sets_waiting";
    public const string BackfillRequests = "nearline.worker.backfill.requests";
    public const string Refreshes = "nearline.worker.refreshes";
    public const string StateConflicts = "nearline.worker.state_conflicts";
    public const string Retries = "nearline.worker.retries";
    public const string BatchEvents = "nearline.worker.batch.events";
    public const string BatchUsers = "nearline.worker.batch.users";
    public const string TowerDuration = "nearline.worker.tower.duration";
    public const string IndexDuration = "nearline.worker.index.duration";
    public const string InspectionDuration = "nearline.worker.inspection.duration";
    public const string RedisReadDuration = "nearline.worker.redis.read.duration";
    public const string RedisWriteDuration = "nearline.worker.redis.write.duration";
    public const string RedisBreaker = "nearline.worker.redis.breaker";
    public const string ConsumerLag = "nearline.worker.consumer.lag";
    public const string PollAge = "nearline.worker.consumer.poll_age";
    public const string KafkaErrors = "nearline.worker.kafka.errors";
    public const string Buffered = "nearline.worker.consumer.buffered";
    public const string ModelInfo = "nearline.worker.model.info";
    public const string ModelShare = "nearline.worker.model.share";
    public const string ModelLoads = "nearline.worker.model.loads";
    public const string IndexInfo = "nearline.worker.index.info";
    public const string IndexRows = "nearline.worker.index.rows";
    public const string IndexMemory = "nearline.worker.index.memory";
    public const string IndexMeasured = "nearline.worker.index.measured";
    public const string NativeTensors = "nearline.worker.native_tensors";
    public const string CatalogRecords = "nearline.worker.catalog.records";
    public const string CatalogShows = "nearline.worker.catalog.shows";

    // Attributes of the conventions.
    public const string MessagingSystem = "messaging.system";
    public const string Destination = "messaging.destination.name";
    public const string DestinationPartition = "messaging.destination.partition.id";
    public const string ConsumerGroup = "messaging.consumer.group.name";
    public const string BatchMessageCount = "messaging.batch.message_count";
    public const string OperationName = "messaging.operation.name";
    public const string OperationType = "messaging.operation.type";
    public const string ErrorType = "error.type";

    // Our own attributes.
    public const string Action = "action";
    public const string Outcome = "outcome";
    public const string Reason = "reason";
    public const string Scenario = "scenario";
    public const string Operation = "operation";
    public const string Method = "method";
    public const string ModelVersion = "version";
    public const string Role = "role";
    public const string Variant = "variant";
    public const string Backend = "backend";
    public const string Dimension = "dimension";
    public const string Kind = "kind";
    public const string Stage = "stage";
}
