namespace Nearline.Worker.State;

/// <summary>What became of an event that was folded into a user's state.</summary>
internal enum FoldOutcome
{
    /// <summary>It counts.</summary>
    Applied,

    /// <summary>Its offset is below the fence: it was applied before, and Kafka delivered it again.</summary>
    DuplicateOffset,

    /// <summary>An event of the same source and id was applied before: the producer sent it again.</summary>
    DuplicateId,

    /// <summary>It is from before the user's deletion.</summary>
    StaleDeleted,
}
