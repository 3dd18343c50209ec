using Confluent.Kafka;
using Nearline.Worker.Telemetry;
using Polly;
using Polly.Retry;
using StackExchange.Redis;

namespace Nearline.Worker.Pipeline;

/// <summary>
/// Repeats what failed for want of Redis, Kafka or a working model, with growing, jittered pauses, until it succeeds
/// or the worker stops: skipping it would lose events, and nothing behind it could be committed anyway.
/// </summary>
internal sealed class Retries
{
    private static readonly ResiliencePropertyKey<string> Operation = new("operation");

    private readonly ResiliencePipeline pipeline;
    private readonly Stall stall;

    public Retries(Stall stall, WorkerMetrics metrics, TimeProvider clock, ILogger<Retries> logger)
    {
        this.stall = stall;
        pipeline = new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromMilliseconds(50),
                MaxDelay = TimeSpan.FromSeconds(3),
                ShouldHandle = new PredicateBuilder()
                    .Handle<RedisException>()
                    .Handle<RedisCommandException>()
                    .Handle<TimeoutException>()
                    .Handle<KafkaException>()
                    .Handle<ModelFailedException>(),
                OnRetry = arguments =>
                {
                    var operation = arguments.Context.Properties.GetValue(Operation, "");
                    var error = arguments.Outcome.Exception!;
                    stall.Begin(arguments.Context, $"{operation}: {error.Message}");
                    metrics.Retry(operation, error.GetType().Name);
                    logger.Retrying(operation, arguments.AttemptNumber + 1, arguments.RetryDelay, error.Message);
                    return default;
                },
            })
            .Build();
    }

    /// <summary>Runs the action until it succeeds.</summary>
    /// <exception cref="OperationCanceledException">The worker stops.</exception>
    public async Task<T> RunAsync<T>(string operation, Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(Operation, operation);
        try
        {
            return await pipeline.ExecuteAsync(
                static async (c, run) => await run(c.CancellationToken).ConfigureAwait(false), context, action).ConfigureAwait(false);
        }
        finally
        {
            stall.End(context);
            ResilienceContextPool.Shared.Return(context);
        }
    }

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
}
