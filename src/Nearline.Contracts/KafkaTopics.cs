namespace Nearline.Contracts;

/// <summary>The topics of DESIGN section 4; a deployment may rename them by options, these are the defaults.</summary>
public static class KafkaTopics
{
    /// <summary>User events; key user_id, value <see cref="Events.V1.UserEvent"/> in protobuf or its JSON form.</summary>
    public const string UserEvents = "nearline.user-events.v1";

    /// <summary>The catalog, compacted; key show_id, value <see cref="Catalog.V1.Show"/> or nothing (tombstone).</summary>
    public const string Catalog = "nearline.catalog.v1";

    /// <summary>Requests to rebuild a user's sets; key user_id, value <see cref="Refresh.V1.RefreshRequest"/>.</summary>
    public const string Refresh = "nearline.refresh.v1";

    /// <summary>Records that the worker could not use: original key, value and headers, plus the <c>nl-</c> headers.</summary>
    public const string UserEventsDlq = "nearline.user-events.dlq.v1";
}
