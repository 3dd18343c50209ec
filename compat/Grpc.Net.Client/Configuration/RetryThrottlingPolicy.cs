namespace Grpc.Net.Client.Configuration;

/// <summary>Stops further attempts while too many calls fail (gRFC A6).</summary>
public sealed class RetryThrottlingPolicy
{
    /// <summary>A failure costs one; at half of them further attempts stop.</summary>
    public int? MaxTokens { get; set; }

    /// <summary>What a success gives back.</summary>
    public double? TokenRatio { get; set; }
}
