namespace Grpc.AspNetCore.HealthChecks;

/// <summary>Options of the health service.</summary>
public sealed class GrpcHealthChecksOptions
{
    /// <summary>Which health checks make up which service. The service "" has all of them unless it is mapped again.</summary>
    public ServiceMappingCollection Services { get; } = new();

    /// <summary>
    /// Check answers what was last published, where it would run the health checks otherwise. The published
    /// results lag by the publisher's delay and period.
    /// </summary>
    public bool UseHealthChecksCache { get; set; }

    /// <summary>
    /// Leaves watches open when the application stops, where they would get NOT_SERVING and end otherwise.
    /// </summary>
    public bool SuppressCompletionOnShutdown { get; set; }
}
