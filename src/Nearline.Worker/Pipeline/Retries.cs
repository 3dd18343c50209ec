using System.Collections.Concurrent;
using Confluent.Kafka;
using Microsoft.Extensions.Options;
using Nearline.Worker.Options;
using Nearline.Worker.Telemetry;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;
using StackExchange.Redis;

namespace Nearline.Worker.Pipeline;

/// <summary>
/// Repeats what failed for want of Redis, Kafka or a working model, with growing, jittered pauses, until it succeeds
/// or the worker stops: skipping it would lose events, and nothing behind it could be committed anyway. Of Redis each
/// attempt has its time, and after several failures it is left alone for a moment, then tried by one call alone.
/// </summary>
internal sealed class Retries
{
    private static readonly ResiliencePropertyKey<Attempts> Made = new("attempts");
    private static readonly TimeSpan BreakerSampling = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Dependency> dependencies = new(StringComparer.Ordinal);
    private readonly ResiliencePipeline redis;
    private readonly ResiliencePipeline others;
    private readonly Stall stall;
    private readonly WorkerMetrics metrics;
    private readonly TimeProvider clock;
    private readonly ILogger logger;

    public Retries(Stall stall, WorkerMetrics metrics, IOptions<WorkerOptions> options, TimeProvider clock, ILogger<Retries> logger)
    {
        (this.stall, this.metrics, this.clock, this.logger) = (stall, metrics, clock, logger);
        var breaker = new CircuitBreakerStateProvider();
        others = new ResiliencePipelineBuilder { TimeProvider = clock }.AddRetry(Repeat()).Build();
        redis = new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddRetry(Repeat())
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.9,
                MinimumThroughput = 4,
                SamplingDuration = BreakerSampling,
                BreakDuration = BreakDuration,
                StateProvider = breaker,
                ShouldHandle = Trouble(),
            })
            .AddTimeout(options.Value.RedisTimeout)
            .Build();
        metrics.ObserveRedisBreaker(() => (int)breaker.CircuitState);
    }

    /// <summary>Runs a call of Redis until it succeeds.</summary>
    /// <exception cref="OperationCanceledException">The worker stops.</exception>
    public Task<T> RedisAsync<T>(string operation, Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken) =>
        RunAsync(redis, "Redis", operation, action, cancellationToken);

    /// <summary>Runs the action until it succeeds.</summary>
    /// <exception cref="OperationCanceledException">The worker stops.</exception>
    public Task<T> RunAsync<T>(string operation, Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken) =>
        RunAsync(others, operation, operation, action, cancellationToken);

    /// <inheritdoc cref="RunAsync{T}(string, Func{CancellationToken, Task{T}}, CancellationToken)"/>
    public Task RunAsync(string operation, Func<CancellationToken, Task> action, CancellationToken cancellationToken) =>
        RunAsync(
            operation,
            async token =>
            {
                await action(token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    private static PredicateBuilder<object> Trouble() => new PredicateBuilder()
        .Handle<RedisException>()
        .Handle<RedisCommandException>()
        .Handle<TimeoutException>()
        .Handle<TimeoutRejectedException>()
        .Handle<KafkaException>()
        .Handle<ModelFailedException>();

    private RetryStrategyOptions Repeat() => new()
    {
        MaxRetryAttempts = int.MaxValue,
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        Delay = TimeSpan.FromMilliseconds(50),
        MaxDelay = TimeSpan.FromSeconds(3),
        ShouldHandle = Trouble().Handle<BrokenCircuitException>(),
        OnRetry = arguments =>
        {
            arguments.Context.Properties.TryGetValue(Made, out var attempts);
            var error = arguments.Outcome.Exception!;
            stall.Begin(attempts!, $"{attempts!.Operation}: {error.Message}");
            metrics.Retry(attempts.Operation, error.GetType().Name);
            attempts.Failed(error);
            return default;
        },
    };

    private async Task<T> RunAsync<T>(
        ResiliencePipeline pipeline, string dependency, string operation, Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken)
    {
        var attempts = new Attempts(
            dependencies.GetOrAdd(dependency, what => new Dependency(new Incident(what, logger, clock))), operation);
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(Made, attempts);
        var succeeded = false;
        try
        {
            var result = await pipeline.ExecuteAsync(
                static async (c, run) => await run(c.CancellationToken).ConfigureAwait(false), context, action).ConfigureAwait(false);
            succeeded = true;
            return result;
        }
        finally
        {
            stall.End(attempts);
            attempts.End(succeeded);
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>What calls need, and how many of them are failing.</summary>
    private sealed class Dependency(Incident incident)
    {
        private int failing;

        public Incident Incident => incident;

        public void Begin() => Interlocked.Increment(ref failing);

        /// <summary>A call that had failed got through or was given up; the trouble is over when it was the last one.</summary>
        public void End(bool succeeded)
        {
            if (Interlocked.Decrement(ref failing) == 0 && succeeded)
            {
                incident.Over();
            }
        }
    }

    /// <summary>The attempts of one call.</summary>
    private sealed class Attempts(Dependency dependency, string operation)
    {
        private bool failed;

        public string Operation => operation;

        public void Failed(Exception error)
        {
            if (!failed)
            {
                failed = true;
                dependency.Begin();
            }

            // What the breaker refuses was not tried.
            if (error is not BrokenCircuitException)
            {
                dependency.Incident.Failed($"{operation}: {error.GetType().Name}", error.Message);
            }
        }

        public void End(bool succeeded)
        {
            if (failed)
            {
                dependency.End(succeeded);
            }
        }
    }
}
