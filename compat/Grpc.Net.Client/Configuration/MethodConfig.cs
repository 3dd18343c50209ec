namespace Grpc.Net.Client.Configuration;

/// <summary>How the calls of some methods behave; either retries or hedging.</summary>
public sealed class MethodConfig
{
    public IList<MethodName> Names { get; } = [];

    public RetryPolicy? RetryPolicy { get; set; }

    public HedgingPolicy? HedgingPolicy { get; set; }
}
