using Grpc.Core;

namespace Grpc.Net.Client.Configuration;

/// <summary>Sends a call again while the first has no answer yet, and takes the first good answer (gRFC A6).</summary>
public sealed class HedgingPolicy
{
    /// <summary>With the first; at least 2.</summary>
    public int? MaxAttempts { get; set; }

    /// <summary>Between attempts; null: all at once.</summary>
    public TimeSpan? HedgingDelay { get; set; }

    /// <summary>Codes after which the other attempts go on.</summary>
    public IList<StatusCode> NonFatalStatusCodes { get; } = [];
}
