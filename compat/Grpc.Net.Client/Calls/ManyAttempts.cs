using System.Globalization;
using Grpc.Core;

namespace Grpc.Net.Client.Calls;

/// <summary>A unary call that may take several attempts, one after another or side by side.</summary>
internal sealed class ManyAttempts<TRequest, TResponse> : IDisposable
    where TRequest : class
    where TResponse : class
{
    private const string PushbackTrailer = "grpc-retry-pushback-ms";
    private const string AttemptsHeader = "grpc-previous-rpc-attempts";

    private readonly GrpcChannel channel;
    private readonly Method<TRequest, TResponse> method;
    private readonly CallOptions options;
    private readonly TRequest request;
    private readonly AttemptPlan plan;
    private readonly CancellationTokenSource stop = new();
    private readonly CancellationTokenRegistration fromCaller;
    private readonly List<GrpcCall<TRequest, TResponse>> attempts = [];
    private readonly TaskCompletionSource<GrpcCall<TRequest, TResponse>> settled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ManyAttempts(
        GrpcChannel channel, Method<TRequest, TResponse> method, CallOptions options, TRequest request, AttemptPlan plan)
    {
        this.channel = channel;
        this.method = method;
        this.options = options;
        this.request = request;
        this.plan = plan;
        fromCaller = options.CancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), stop);
        ResponseAsync = plan.IsHedging ? HedgeAsync() : RetryAsync();
    }

    public Task<TResponse> ResponseAsync { get; }

    public Task<Metadata> ResponseHeadersAsync => HeadersAsync();

    public Status GetStatus() => Settled("status").GetStatus();

    public Metadata GetTrailers() => Settled("trailers").GetTrailers();

    public void Dispose()
    {
        stop.Cancel();
        lock (attempts)
        {
            attempts.ForEach(static attempt => attempt.Dispose());
        }

        _ = ResponseAsync.ContinueWith(
            static t => _ = t.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private GrpcCall<TRequest, TResponse> Settled(string what) => settled.Task.IsCompleted
        ? settled.Task.Result
        : throw new InvalidOperationException($"Unable to get the {what} because the call is not complete.");

    private async Task<Metadata> HeadersAsync() => await (await settled.Task.ConfigureAwait(false)).ResponseHeadersAsync.ConfigureAwait(false);

    private async Task<TResponse> RetryAsync()
    {
        for (var count = 1; ; count++)
        {
            var attempt = Start(count);
            await FinishAsync(attempt).ConfigureAwait(false);
            if (!MayFollow(attempt, count))
            {
                return await SettleAsync(attempt).ConfigureAwait(false);
            }

            await PauseAsync(Pushback(attempt) ?? plan.Pause(count)).ConfigureAwait(false);
            if (stop.IsCancellationRequested || DateTime.UtcNow >= options.Deadline)
            {
                // The next attempt ends as it starts, with the right status.
                return await SettleAsync(Start(count + 1)).ConfigureAwait(false);
            }
        }
    }

    private async Task<TResponse> HedgeAsync()
    {
        var running = new Dictionary<Task, GrpcCall<TRequest, TResponse>>();
        var count = 0;
        var mayStart = true;
        var next = Task.CompletedTask;
        while (true)
        {
            if (mayStart && count < plan.MaxAttempts && next.IsCompleted)
            {
                var started = Start(++count);
                running.Add(FinishAsync(started), started);
                next = PauseAsync(plan.HedgingDelay);
                continue;
            }

            var first = await Task.WhenAny(mayStart && count < plan.MaxAttempts ? [.. running.Keys, next] : running.Keys).ConfigureAwait(false);
            if (!running.Remove(first, out var attempt))
            {
                mayStart &= !stop.IsCancellationRequested;
                continue;
            }

            var isFatal = !MayFollow(attempt, attemptsMade: 0);
            mayStart &= !isFatal;
            if (attempt.Outcome.StatusCode == StatusCode.OK || isFatal || (running.Count == 0 && count >= plan.MaxAttempts))
            {
                foreach (var other in running.Values)
                {
                    other.Dispose();
                }

                return await SettleAsync(attempt).ConfigureAwait(false);
            }

            // One that failed is no longer waited for.
            next = PauseAsync(Pushback(attempt) ?? TimeSpan.Zero);
        }
    }

    private GrpcCall<TRequest, TResponse> Start(int number)
    {
        var headers = options.Headers;
        if (number > 1)
        {
            headers = [.. options.Headers ?? [], new Metadata.Entry(AttemptsHeader, (number - 1).ToString(CultureInfo.InvariantCulture))];
        }

        var attempt = new GrpcCall<TRequest, TResponse>(
            channel, method, headers is null ? options : options.WithHeaders(headers));
        lock (attempts)
        {
            attempts.Add(attempt);
        }

        attempt.StartUnary(request);
        if (stop.IsCancellationRequested)
        {
            attempt.Dispose();
        }

        return attempt;
    }

    private static async Task FinishAsync(GrpcCall<TRequest, TResponse> attempt) =>
        await ((Task)attempt.ResponseAsync).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private bool MayFollow(GrpcCall<TRequest, TResponse> attempt, int attemptsMade)
    {
        var code = attempt.Outcome.StatusCode;
        var failed = code != StatusCode.OK && plan.Codes.Contains(code);
        var allowed = channel.Plans.Count(failed);
        return failed && allowed && attemptsMade < plan.MaxAttempts && !attempt.IsCommitted
            && !stop.IsCancellationRequested && Pushback(attempt) is not { Ticks: < 0 };
    }

    /// <summary>When the server says that the next attempt may come; negative: not at all.</summary>
    private static TimeSpan? Pushback(GrpcCall<TRequest, TResponse> attempt) => attempt.PushbackOrNull(PushbackTrailer) switch
    {
        null => null,
        { } text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) =>
            TimeSpan.FromMilliseconds(milliseconds),
        _ => TimeSpan.MinValue,
    };

    private async Task PauseAsync(TimeSpan pause)
    {
        var deadline = options.Deadline ?? DateTime.MaxValue;
        var end = deadline - DateTime.UtcNow > pause ? DateTime.UtcNow + pause : deadline;
        while (end - DateTime.UtcNow is { Ticks: > 0 } left && !stop.IsCancellationRequested)
        {
            // Whole milliseconds, else a timer may be early.
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), stop.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Task<TResponse> SettleAsync(GrpcCall<TRequest, TResponse> attempt)
    {
        return SettledAsync();

        async Task<TResponse> SettledAsync()
        {
            await FinishAsync(attempt).ConfigureAwait(false);
            settled.TrySetResult(attempt);
            fromCaller.Unregister();
            return await attempt.ResponseAsync.ConfigureAwait(false);
        }
    }
}
