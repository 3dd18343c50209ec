using Grpc.Core;
using Microsoft.Extensions.Options;
using Nearline.Api.Overload;
using Nearline.Api.Security;
using Nearline.Api.Telemetry;

namespace Nearline.Api.Calls;

/// <summary>Lets in as many calls as can be answered well and refuses the rest at once.</summary>
internal sealed class AdmissionGate
{
    private readonly ApiOptions _options;
    private readonly ApiMetrics _metrics;
    private readonly Status _noCall;
    private readonly Status _noStream;
    private readonly Status _noProcessor;
    private readonly WorkQueue _queue;
    private int _calls;
    private int _streams;

    public AdmissionGate(IOptions<ApiOptions> options, WorkQueue queue, ApiMetrics metrics)
    {
        _queue = queue;
        _options = options.Value;
        _metrics = metrics;
        _noCall = Full(_options.MaxConcurrentRequests, "requests in flight", "Api:MaxConcurrentRequests");
        _noStream = Full(_options.MaxWatchStreams, "streams open", "Api:MaxWatchStreams");
        _noProcessor = new Status(
            StatusCode.ResourceExhausted, "More calls wait for a processor than Api:MaxQueuedWork allows; try again with backoff.");
        metrics.ObserveInFlight(() => Volatile.Read(ref _calls));
        metrics.ObserveStreams(() => Volatile.Read(ref _streams));
    }

    /// <summary>Admits a call until the result is disposed.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many are in flight.</exception>
    public Admission EnterCall()
    {
        Enter(ref _calls, _options.MaxConcurrentRequests, "call", _noCall);
        return new Admission(this, stream: false);
    }

    /// <summary>Admits a stream until the result is disposed.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many are open.</exception>
    public Admission EnterStream()
    {
        Enter(ref _streams, _options.MaxWatchStreams, "stream", _noStream);
        return new Admission(this, stream: true);
    }

    /// <summary>
    /// Why a call would not be admitted now; null: it would. To be asked before a call's message is read. A place is
    /// taken only when it has been: a caller that sends its message slowly must not keep others out.
    /// </summary>
    public Status? Refusal(bool stream)
    {
        if (stream ? Volatile.Read(ref _streams) < _options.MaxWatchStreams : Volatile.Read(ref _calls) < _options.MaxConcurrentRequests)
        {
            if (stream || !_queue.IsFarTooLong)
            {
                return null;
            }

            _metrics.Shed("queue");
            return _noProcessor;
        }

        _metrics.Shed(stream ? "stream" : "call");
        return stream ? _noStream : _noCall;
    }

    private void Enter(ref int count, int most, string kind, Status full)
    {
        if (Interlocked.Increment(ref count) > most)
        {
            Interlocked.Decrement(ref count);
            _metrics.Shed(kind);
            throw new RpcException(full, RetryHint.Trailers(full, RetryHint.AfterOverload()));
        }
    }

    private static Status Full(int most, string what, string key) => new(
        StatusCode.ResourceExhausted, $"There are {most} {what}, as many as {key} allows; try again with backoff.");

    private void Leave(bool stream) => Interlocked.Decrement(ref stream ? ref _streams : ref _calls);

    /// <summary>A place in the gate; dispose it once.</summary>
    internal readonly struct Admission(AdmissionGate gate, bool stream) : IDisposable
    {
        public void Dispose() => gate.Leave(stream);
    }
}
