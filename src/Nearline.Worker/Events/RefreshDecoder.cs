using Nearline.Contracts.Refresh.V1;
using Nearline.Worker.Kafka;

namespace Nearline.Worker.Events;

/// <summary>Reads and validates records of the refresh topic.</summary>
internal static class RefreshDecoder
{
    /// <summary>The request in the record.</summary>
    /// <exception cref="RejectedRecordException">It is not a valid request.</exception>
    public static UserRefresh Decode(ConsumedRecord record)
    {
        var message = FieldRules.Message(record, RefreshRequest.Parser);
        return new UserRefresh(FieldRules.UserId(message.UserId, record.Key), message.Reason, message.Backfill);
    }
}
