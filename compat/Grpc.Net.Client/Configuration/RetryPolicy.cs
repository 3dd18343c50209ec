using Grpc.Core;

namespace Grpc.Net.Client.Configuration;

/// <summary>Tries again after a failure (gRFC A6).</summary>
public sealed class RetryPolicy
{
    /// <summary>With the first; at least 2.</summary>
    public int? MaxAttempts { get; set; }

    public TimeSpan? InitialBackoff { get; set; }

    public TimeSpan? MaxBackoff { get; set; }

    public double? BackoffMultiplier { get; set; }

    /// <summary>At least one.</summary>
    public IList<StatusCode> RetryableStatusCodes { get; } = [];
}
