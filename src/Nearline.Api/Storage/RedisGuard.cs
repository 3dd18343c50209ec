using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;
using Nearline.Api.Telemetry;
using Polly;
using Polly.CircuitBreaker;
using StackExchange.Redis;

namespace Nearline.Api.Storage;

/// <summary>
/// Runs reads from Redis within a time limit and behind a circuit breaker, so that an ailing Redis costs callers
/// milliseconds, not their whole deadline.
/// </summary>
internal sealed class RedisGuard
{
    private readonly IConnectionMultiplexer _redis;
    private readonly ApiMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly TimeSpan _timeout;
    private readonly ResiliencePipeline _pipeline;

    public RedisGuard(IConnectionMultiplexer redis, IOptions<ApiOptions> options, ApiMetrics metrics, TimeProvider time)
    {
        _redis = redis;
        _metrics = metrics;
        _time = time;
        _timeout = options.Value.RedisTimeout;
        var state = new CircuitBreakerStateProvider();
        _pipeline = new ResiliencePipelineBuilder()
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = options.Value.BreakerMinimumReads,
                SamplingDuration = options.Value.BreakerSampling,
                BreakDuration = options.Value.BreakerDuration,
                StateProvider = state,
                ShouldHandle = static arguments => ValueTask.FromResult(arguments.Outcome.Exception is RedisException or TimeoutException),
            })
            .Build();
        metrics.ObserveBreaker(() => (int)state.CircuitState);
    }

    /// <summary>The result of <paramref name="read"/>.</summary>
    /// <exception cref="RedisTroubleException">Redis did not answer in time or at all; the message says which.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<TResult> ReadAsync<TState, TResult>(
        string operation, Func<IDatabase, TState, Task<TResult>> read, TState state, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, cancellationToken);

        // Outcomes instead of exceptions through the layers, and the time limit inside: this runs for each call.
        var outcome = await _pipeline.ExecuteOutcomeAsync(
            static (context, call) => AwaitAsync(call.read, call.guard, call.state, context.CancellationToken),
            context,
            (read, guard: this, state));
        ResilienceContextPool.Shared.Return(context);
        var name = NameOf(outcome.Exception);
        _metrics.RedisRead(operation, name, _time.GetElapsedTime(started));
        return outcome.Exception is null ? outcome.Result! : throw ToTrouble(outcome);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<Outcome<TResult>> AwaitAsync<TState, TResult>(
        Func<IDatabase, TState, Task<TResult>> read, RedisGuard guard, TState state, CancellationToken token)
    {
        try
        {
            var reply = read(guard._redis.GetDatabase(), state);
            try
            {
                return Outcome.FromResult(await reply.WaitAsync(guard._timeout, guard._time, token));
            }
            catch when (!reply.IsCompleted)
            {
                // A command cannot be taken back; when nobody waits any more, its late failure is nobody's business.
                _ = reply.ContinueWith(
                    static late => _ = late.Exception,
                    CancellationToken.None,
                    TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
                throw;
            }
        }
        catch (Exception e)
        {
            return Outcome.FromException<TResult>(e);
        }
    }

    private static string NameOf(Exception? e) => e switch
    {
        null => "ok",
        BrokenCircuitException => "open",
        OperationCanceledException => "cancelled",
        TimeoutException and not RedisTimeoutException => "timeout",
        _ => "error",
    };

    private Exception ToTrouble<TResult>(Outcome<TResult> outcome)
    {
        switch (outcome.Exception)
        {
            case BrokenCircuitException e:
                return new RedisTroubleException("Redis has been failing and is left alone for a moment (circuit open)", e);
            case TimeoutException e and not RedisTimeoutException:
                return new RedisTroubleException($"Redis did not answer within {_timeout.TotalMilliseconds:0} ms", e);
            case { } e and (RedisException or TimeoutException):
                return new RedisTroubleException("Redis cannot be reached or refuses to answer", e);
            default:
                outcome.ThrowIfException();
                throw new InvalidOperationException("There is no exception.");
        }
    }
}
