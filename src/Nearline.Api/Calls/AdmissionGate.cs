using Grpc.Core;
using Microsoft.Extensions.Options;
using Nearline.Api.Telemetry;

namespace Nearline.Api.Calls;

/// <summary>Lets in as many calls as can be answered well and refuses the rest at once.</summary>
internal sealed class AdmissionGate(IOptions<ApiOptions> options, ApiMetrics metrics)
{
    private int _calls;
    private int _streams;

    /// <summary>Admits a call until the result is disposed.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many are in flight.</exception>
    public Admission EnterCall()
    {
        Enter(ref _calls, options.Value.MaxConcurrentRequests, "call", "requests in flight", "Api:MaxConcurrentRequests");
        metrics.InFlight(1);
        return new Admission(this, stream: false);
    }

    /// <summary>Admits a stream until the result is disposed.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many are open.</exception>
    public Admission EnterStream()
    {
        Enter(ref _streams, options.Value.MaxWatchStreams, "stream", "streams open", "Api:MaxWatchStreams");
        metrics.Streams(1);
        return new Admission(this, stream: true);
    }

    private void Enter(ref int count, int most, string kind, string what, string key)
    {
        if (Interlocked.Increment(ref count) > most)
        {
            Interlocked.Decrement(ref count);
            metrics.Shed(kind);
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted, $"There are {most} {what}, as many as {key} allows; try again with backoff."));
        }
    }

    private void Leave(bool stream)
    {
        if (stream)
        {
            Interlocked.Decrement(ref _streams);
            metrics.Streams(-1);
        }
        else
        {
            Interlocked.Decrement(ref _calls);
            metrics.InFlight(-1);
        }
    }

    /// <summary>A place in the gate; dispose it once.</summary>
    internal readonly struct Admission(AdmissionGate gate, bool stream) : IDisposable
    {
        public void Dispose() => gate.Leave(stream);
    }
}
