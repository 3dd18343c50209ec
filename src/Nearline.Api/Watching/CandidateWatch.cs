using Grpc.Core;
using Microsoft.Extensions.Options;
using Nearline.Api.Serving;
using Nearline.Contracts.Candidates.V1;
using StackExchange.Redis;

namespace Nearline.Api.Watching;

/// <summary>Serves one WatchCandidates stream: the answer now, and again whenever it has become another.</summary>
internal sealed class CandidateWatch(
    CandidateResponder responder, RenewalHub hub, IHostApplicationLifetime lifetime, IOptions<ApiOptions> options, TimeProvider time)
{
    /// <summary>Runs until the caller leaves.</summary>
    /// <exception cref="RpcException">
    /// UNAVAILABLE: the service shuts down, or there is no answer to begin with. NOT_FOUND: the scenario is not served.
    /// </exception>
    public async Task RunAsync(
        GetCandidatesRequest request, IServerStreamWriter<WatchCandidatesResponse> stream, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        try
        {
            // Listen first, read then: a renewal between the two wakes the stream again rather than being lost.
            using var renewals = hub.Listen(request.UserId);
            await WaitForSubscriptionAsync(renewals, stop.Token);
            var answer = await responder.GetAsync(request, fresh: true, stop.Token);
            if (answer.Response is null)
            {
                throw new RpcException(answer.Status);
            }

            var response = Take(answer.Response);
            while (true)
            {
                await stream.WriteAsync(new WatchCandidatesResponse { Response = response }, stop.Token);
                response = await NextAsync(request, response, renewals, stop.Token);
            }
        }
        catch (OperationCanceledException)
            when (lifetime.ApplicationStopping.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The service is shutting down; watch again."));
        }
    }

    private async ValueTask<GetCandidatesResponse> NextAsync(
        GetCandidatesRequest request, GetCandidatesResponse before, RenewalListener renewals, CancellationToken cancellationToken)
    {
        while (true)
        {
            await renewals.WaitAsync(cancellationToken);
            var answer = await responder.GetAsync(request, fresh: true, cancellationToken);

            // While Redis is away, what the caller has is better than a fallback list.
            if (answer is { Response: { } rendered, Degraded: false } && Take(rendered) is var after && IsAnother(before, after))
            {
                return after;
            }
        }
    }

    private static GetCandidatesResponse Take(RenderedResponse rendered)
    {
        using (rendered)
        {
            return rendered.ToMessage();
        }
    }

    // Not by the candidates: a renewed set may well hold the same shows, and its age tells that it is new.
    private static bool IsAnother(GetCandidatesResponse before, GetCandidatesResponse after) =>
        before.Source != after.Source
        || !Equals(before.GeneratedAt, after.GeneratedAt)
        || !string.Equals(before.Variant, after.Variant, StringComparison.Ordinal)
        || !string.Equals(before.ModelVersion, after.ModelVersion, StringComparison.Ordinal)
        || !string.Equals(before.TriggerEventId, after.TriggerEventId, StringComparison.Ordinal);

    private async Task WaitForSubscriptionAsync(RenewalListener renewals, CancellationToken cancellationToken)
    {
        try
        {
            await renewals.Subscribed.WaitAsync(options.Value.RedisTimeout, time, cancellationToken);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // The client library subscribes once it is connected again, and the timed reads go on meanwhile.
        }
    }
}
