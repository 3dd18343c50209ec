using Confluent.Kafka;
using Nearline.Model.Index;

namespace Nearline.Worker;

/// <summary>What the worker logs; nothing for a single good event.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "no model is active in {Directory}; events wait until there is one")]
    public static partial void WaitingForModel(this ILogger logger, string directory);

    [LoggerMessage(2, LogLevel.Information, "stopped: the batch in work is finished, offsets are committed")]
    public static partial void Stopped(this ILogger logger);

    [LoggerMessage(3, LogLevel.Information, "model {Version} is active, {Scenarios} scenarios, its tower on {Device}")]
    public static partial void ModelActive(this ILogger logger, string version, int scenarios, string device);

    [LoggerMessage(7, LogLevel.Information, "served now: {Plan}")]
    public static partial void PlanActive(this ILogger logger, string plan);

    [LoggerMessage(8, LogLevel.Warning, "model {Version}, {Role}, fails for {Users} users, who are served without it: {Problem}")]
    public static partial void TriedModelFails(this ILogger logger, string version, string role, int users, string problem);

    [LoggerMessage(6, LogLevel.Information, "index of model {Version}: {Index}")]
    public static partial void IndexActive(this ILogger logger, string version, IndexInfo index);

    [LoggerMessage(9, LogLevel.Information, "Nearline.Worker listening: http={Http} grpc={Grpc}")]
    public static partial void Listening(this ILogger logger, string http, string grpc);

    [LoggerMessage(36, LogLevel.Error, "{Method} failed")]
    public static partial void InspectionFailed(this ILogger logger, string method, Exception exception);

    [LoggerMessage(4, LogLevel.Error, "refused {Problem}; active: {Active}")]
    public static partial void ModelRefused(this ILogger logger, string problem, string active);

    [LoggerMessage(10, LogLevel.Information, "{Count} partitions assigned, {Total} now")]
    public static partial void PartitionsAssigned(this ILogger logger, int count, int total);

    [LoggerMessage(11, LogLevel.Information, "{Count} partitions given up, {Total} now")]
    public static partial void PartitionsRevoked(this ILogger logger, int count, int total);

    [LoggerMessage(12, LogLevel.Warning, "{Count} partitions lost: the group took this worker for dead")]
    public static partial void PartitionsLost(this ILogger logger, int count);

    [LoggerMessage(13, LogLevel.Warning, "{Count} partitions given up while a batch still uses them after {Timeout}; the next owner repeats it")]
    public static partial void RevokedInWork(this ILogger logger, int count, TimeSpan timeout);

    [LoggerMessage(15, LogLevel.Debug, "partitions paused: {Paused}; {Buffered} records wait; stalled by: {Stall}")]
    public static partial void Paused(this ILogger logger, bool paused, int buffered, string stall);

    [LoggerMessage(17, LogLevel.Error, "the consumer ended and is made anew: {Code}, {Problem}")]
    public static partial void ConsumerFailed(this ILogger logger, ErrorCode code, string problem);

    [LoggerMessage(18, LogLevel.Warning, "producer: {Code}, {Problem}")]
    public static partial void ProducerError(this ILogger logger, ErrorCode code, string problem);

    [LoggerMessage(19, LogLevel.Debug, "librdkafka {Facility}: {Message}")]
    public static partial void KafkaClient(this ILogger logger, string facility, string message);

    [LoggerMessage(21, LogLevel.Warning, "dead-lettered {Origin}: {Error}")]
    public static partial void DeadLettered(this ILogger logger, string origin, string error);

    [LoggerMessage(22, LogLevel.Warning, "{Action}.show_id '{ShowId}' is not in model {Version}; {Count} such events in this batch. They are kept in the states")]
    public static partial void UnknownShow(this ILogger logger, string action, string showId, string version, int count);

    [LoggerMessage(23, LogLevel.Warning, "a batch of {Count} records was not finished in time; they are delivered again")]
    public static partial void BatchAbandoned(this ILogger logger, int count);

    [LoggerMessage(24, LogLevel.Warning, "sets that were due stay as they are until the user's next event: {Error}")]
    public static partial void SetsNotRenewed(this ILogger logger, string error);

    [LoggerMessage(40, LogLevel.Information, "backfill begins: {Reason}, to {Plan}, {Rate} users/s at most")]
    public static partial void BackfillBegins(this ILogger logger, string reason, string plan, double rate);

    [LoggerMessage(41, LogLevel.Information, "backfill ends: {Reason}, {Users} users asked for")]
    public static partial void BackfillEnds(this ILogger logger, string reason, long users);

    [LoggerMessage(42, LogLevel.Warning, "backfill waits: {Problem}")]
    public static partial void BackfillWaits(this ILogger logger, string problem);

    [LoggerMessage(24, LogLevel.Warning, "{What}: trouble begins, tried again until it is over: {Kind}, {Problem}")]
    public static partial void TroubleBegan(this ILogger logger, string what, string kind, string problem);

    [LoggerMessage(25, LogLevel.Warning, "{What}: trouble for {Seconds:F0} s now, met {Met}: {Problem}")]
    public static partial void TroubleLasts(this ILogger logger, string what, double seconds, string met, string problem);

    [LoggerMessage(26, LogLevel.Information, "{What}: trouble is over after {Seconds:F1} s, met {Met}")]
    public static partial void TroubleOver(this ILogger logger, string what, double seconds, string met);

    [LoggerMessage(30, LogLevel.Information, "catalog: {Count} changes taken in; {Added} shows beside the model's, {Removed} of the model's gone")]
    public static partial void CatalogChanged(this ILogger logger, int count, int added, int removed);

    [LoggerMessage(31, LogLevel.Warning, "catalog: {Origin} is passed over: {Error}")]
    public static partial void CatalogRejected(this ILogger logger, string origin, string error);

    [LoggerMessage(32, LogLevel.Warning, "catalog: {Count} new shows share no tag, person, brand, year or word with what the model knows and are in no set until the next model: {Shows}")]
    public static partial void CatalogUnreachable(this ILogger logger, int count, string shows);

    [LoggerMessage(33, LogLevel.Warning, "catalog: topic {Topic} is not to be had: {Code}, {Problem}; it is looked for again every {Seconds} s")]
    public static partial void CatalogMissing(this ILogger logger, string topic, ErrorCode code, string problem, double seconds);

    [LoggerMessage(34, LogLevel.Error, "catalog: following it failed, and is begun again: {Problem}")]
    public static partial void CatalogFailed(this ILogger logger, string problem, Exception exception);

    [LoggerMessage(35, LogLevel.Information, "catalog: topic {Topic} is followed, {Partitions} partitions")]
    public static partial void CatalogFollowed(this ILogger logger, string topic, int partitions);
}
