using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client.Configuration;

namespace Grpc.Net.Client.Calls;

/// <summary>The plans of a channel's methods, and its throttle.</summary>
internal sealed class AttemptPlans
{
    private readonly Dictionary<(string Service, string Method), MethodConfig> configs = [];
    private readonly int? maxAttempts;
    private readonly ConcurrentDictionary<IMethod, AttemptPlan?> found = new();
    private readonly double maxTokens;
    private readonly double ratio;
    private readonly Lock gate = new();
    private double tokens;

    public AttemptPlans(ServiceConfig? config, int? maxAttempts)
    {
        this.maxAttempts = maxAttempts;
        foreach (var method in config?.MethodConfigs ?? [])
        {
            foreach (var name in method.Names)
            {
                if (!configs.TryAdd((name.Service ?? "", name.Method ?? ""), method))
                {
                    throw new InvalidOperationException(
                        $"Duplicate method config found. Service: '{name.Service}', method: '{name.Method}'.");
                }
            }
        }

        if (config?.RetryThrottling is { } throttling)
        {
            tokens = maxTokens = throttling.MaxTokens
                ?? throw new InvalidOperationException("Retry throttling must have a max tokens value.");
            ratio = throttling.TokenRatio
                ?? throw new InvalidOperationException("Retry throttling must have a token ratio value.");
        }
    }

    /// <summary>Null: one attempt.</summary>
    /// <exception cref="InvalidOperationException">The method's policy cannot work.</exception>
    public AttemptPlan? Of(IMethod method) => configs.Count == 0 ? null : found.GetOrAdd(method, Find);

    private AttemptPlan? Find(IMethod method) =>
        (configs.GetValueOrDefault((method.ServiceName, method.Name))
            ?? configs.GetValueOrDefault((method.ServiceName, ""))
            ?? configs.GetValueOrDefault(("", ""))) is { } config
            ? AttemptPlan.Of(config, maxAttempts)
            : null;

    /// <summary>Counts how an attempt ended; whether another may follow.</summary>
    public bool Count(bool failed)
    {
        if (maxTokens == 0)
        {
            return true;
        }

        lock (gate)
        {
            tokens = failed ? Math.Max(0, tokens - 1) : Math.Min(maxTokens, tokens + ratio);
            return tokens > maxTokens / 2;
        }
    }
}
