namespace Grpc.Net.Client.Configuration;

/// <summary>How a channel's calls behave.</summary>
public sealed class ServiceConfig
{
    /// <summary>The most specific one that names a method is the method's.</summary>
    public IList<MethodConfig> MethodConfigs { get; } = [];

    /// <summary>Null for no throttling.</summary>
    public RetryThrottlingPolicy? RetryThrottling { get; set; }
}
