using System.Collections.Frozen;
using Grpc.Core;
using Grpc.Net.Client.Configuration;

namespace Grpc.Net.Client.Calls;

/// <summary>How often, when and after which codes a method's calls are tried again; checked.</summary>
internal sealed class AttemptPlan
{
    private readonly TimeSpan initial;
    private readonly TimeSpan longest;
    private readonly double multiplier;

    private AttemptPlan(bool isHedging, int? attempts, int? most, IEnumerable<StatusCode> codes)
    {
        IsHedging = isHedging;
        var name = isHedging ? "Hedging" : "Retry";
        MaxAttempts = Math.Min(
            attempts is >= 2 and var count
                ? count
                : throw new InvalidOperationException($"{name} policy max attempts must be greater than 1."),
            most ?? int.MaxValue);
        Codes = codes.ToFrozenSet();
    }

    private AttemptPlan(RetryPolicy policy, int? most)
        : this(isHedging: false, policy.MaxAttempts, most, policy.RetryableStatusCodes)
    {
        initial = Positive(policy.InitialBackoff, "initial backoff");
        longest = Positive(policy.MaxBackoff, "max backoff");
        multiplier = policy.BackoffMultiplier is > 0 and var by
            ? by
            : throw new InvalidOperationException("Retry policy backoff multiplier must be greater than 0.");
        if (Codes.Count == 0)
        {
            throw new InvalidOperationException("Retry policy must specify at least 1 retryable status code.");
        }
    }

    private AttemptPlan(HedgingPolicy policy, int? most)
        : this(isHedging: true, policy.MaxAttempts, most, policy.NonFatalStatusCodes) =>
        HedgingDelay = policy.HedgingDelay ?? TimeSpan.Zero;

    public bool IsHedging { get; }

    public int MaxAttempts { get; }

    /// <summary>Those after which a retry follows, or the other hedged attempts go on.</summary>
    public FrozenSet<StatusCode> Codes { get; }

    public TimeSpan HedgingDelay { get; }

    public static AttemptPlan? Of(MethodConfig config, int? most) => config switch
    {
        { RetryPolicy: not null, HedgingPolicy: not null } =>
            throw new InvalidOperationException("Method config can't have a retry policy and hedging policy."),
        { RetryPolicy: { } retry } => new AttemptPlan(retry, most),
        { HedgingPolicy: { } hedging } => new AttemptPlan(hedging, most),
        _ => null,
    };

    /// <summary>The pause after so many failed attempts, varied by a fifth.</summary>
    public TimeSpan Pause(int failed)
    {
        var pause = Math.Min(initial.TotalMilliseconds * Math.Pow(multiplier, failed - 1), longest.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(pause * (0.8 + (0.4 * Random.Shared.NextDouble())));
    }

    private static TimeSpan Positive(TimeSpan? value, string what) =>
        value > TimeSpan.Zero
            ? value.Value
            : throw new InvalidOperationException($"Retry policy {what} must be greater than zero.");
}
