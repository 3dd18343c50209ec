using Microsoft.Extensions.Options;
using Nearline.Api.Telemetry;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;
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
                ShouldHandle = static arguments => ValueTask.FromResult(
                    arguments.Outcome.Exception is TimeoutRejectedException or RedisException or TimeoutException),
            })
            .AddTimeout(_timeout)
            .Build();
        metrics.ObserveBreaker(() => (int)state.CircuitState);
    }

    /// <summary>The result of <paramref name="read"/>.</summary>
    /// <exception cref="RedisTroubleException">Redis did not answer in time or at all; the message says which.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async ValueTask<TResult> ReadAsync<TState, TResult>(
        string operation, Func<IDatabase, TState, Task<TResult>> read, TState state, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var outcome = "ok";
        try
        {
            return await _pipeline.ExecuteAsync(
                static (call, token) => AwaitAsync(call.read(call.database, call.state), token),
                (read, state, database: _redis.GetDatabase()),
                cancellationToken);
        }
        catch (BrokenCircuitException e)
        {
            outcome = "open";
            throw new RedisTroubleException("Redis has been failing and is left alone for a moment (circuit open)", e);
        }
        catch (TimeoutRejectedException e)
        {
            outcome = "timeout";
            throw new RedisTroubleException($"Redis did not answer within {_timeout.TotalMilliseconds:0} ms", e);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            outcome = "error";
            throw new RedisTroubleException("Redis cannot be reached or refuses to answer", e);
        }
        catch (OperationCanceledException)
        {
            outcome = "cancelled";
            throw;
        }
        finally
        {
            _metrics.RedisRead(operation, outcome, _time.GetElapsedTime(started));
        }
    }

    private static async ValueTask<TResult> AwaitAsync<TResult>(Task<TResult> reply, CancellationToken token)
    {
        if (!reply.IsCompleted)
        {
            // A command cannot be taken back; when nobody waits any more, its late failure is nobody's business.
            _ = reply.ContinueWith(
                static late => _ = late.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }

        return await reply.WaitAsync(token);
    }
}
