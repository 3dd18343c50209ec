using Nearline.Worker.Events;
using Nearline.Worker.Kafka;

namespace Nearline.Worker.Pipeline;

/// <summary>
/// A record and what it says: one of event, refresh and rejection is there. Or a reminder that a user's sets are due,
/// which has none of them; its record was processed before and is held back from commit.
/// </summary>
internal sealed record WorkItem(
    LeasedRecord Source, UserEventRecord? Event, UserRefresh? Refresh, RejectedRecordException? Rejection)
{
    private readonly string? dueUserId;

    /// <summary>Whether it only reminds of sets that are due.</summary>
    public bool IsReminder => dueUserId is not null;

    /// <summary>Whether its record is held back from commit, and let go when it is processed.</summary>
    public bool IsHeld { get; init; }

    /// <summary>The user that it is about; null for a rejected record.</summary>
    public string? UserId => Event?.UserId ?? Refresh?.UserId ?? dueUserId;

    /// <summary>A reminder that the user's sets are due.</summary>
    public static WorkItem Due(LeasedRecord reminder, string userId) => new(reminder, userId);

    private WorkItem(LeasedRecord source, string userId)
        : this(source, null, null, null) => (dueUserId, IsHeld) = (userId, true);
}
