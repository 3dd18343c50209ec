using System.Globalization;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Nearline.Api.Fallbacks;
using Nearline.Api.Security;
using Nearline.Api.Serving;
using Nearline.Api.Watching;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Calls;

/// <summary>The gRPC face of the service: admission, validation, and the shape of answers and errors.</summary>
internal sealed class CandidateApi(
    CandidateResponder responder,
    CandidateExplainer explainer,
    CandidateWatch watch,
    FallbackLists fallbacks,
    AdmissionGate gate,
    CallGuard guard,
    IOptions<ApiOptions> options) : CandidateBinding.Base
{
    /// <summary>The trailer that says which part of the service an answer had to do without.</summary>
    public const string DegradedTrailer = "nl-degraded";

    public override async Task<RenderedResponse> GetCandidates(
        GetCandidatesRequest request, ServerCallContext context)
    {
        using var admission = gate.EnterCall();
        Check(RequestValidator.Problem(request));
        var answer = await responder.GetAsync(request, fresh: false, context.CancellationToken);
        if (answer.Degraded)
        {
            MarkDegraded(context);
        }

        return answer.Response ?? throw new RpcException(answer.Status);
    }

    public override async Task<RenderedResponses> MultiGetCandidates(
        MultiGetCandidatesRequest request, ServerCallContext context)
    {
        using var admission = gate.EnterCall();
        var count = request.Requests.Count;
        if (count == 0 || count > options.Value.MaxMultiGet)
        {
            Check(string.Create(
                CultureInfo.InvariantCulture, $"requests has {count} entries; it must have 1 to {options.Value.MaxMultiGet}"));
        }

        guard.Charge(context, count);
        var results = new Answer[count];
        var valid = new List<GetCandidatesRequest>(count);
        for (var i = 0; i < count; i++)
        {
            if (RequestValidator.Problem(request.Requests[i]) is { } problem)
            {
                results[i] = Answer.Failed(
                    StatusCode.InvalidArgument, string.Create(CultureInfo.InvariantCulture, $"requests[{i}].{problem}"));
            }
            else
            {
                valid.Add(request.Requests[i]);
            }
        }

        var answers = await responder.GetManyAsync(valid, context.CancellationToken);
        var next = 0;
        var degraded = false;
        for (var i = 0; i < count; i++)
        {
            if (results[i].Status.StatusCode == StatusCode.OK)
            {
                results[i] = answers[next++];
                degraded |= results[i].Degraded;
            }
        }

        if (degraded)
        {
            MarkDegraded(context);
        }

        return new RenderedResponses(results);
    }

    public override async Task WatchCandidates(
        WatchCandidatesRequest request, IServerStreamWriter<WatchCandidatesResponse> responseStream, ServerCallContext context)
    {
        using var admission = gate.EnterStream();
        Check(request.Request is null
            ? "request is missing; it must say what to watch"
            : RequestValidator.Problem(request.Request) is { } problem ? $"request.{problem}" : null);
        await watch.RunAsync(request.Request!, responseStream, context.CancellationToken);
    }

    public override async Task<ExplainCandidateResponse> ExplainCandidate(
        ExplainCandidateRequest request, ServerCallContext context)
    {
        using var admission = gate.EnterCall();
        Check(RequestValidator.Problem(request));
        return await explainer.ExplainAsync(request, context.Deadline, context.CancellationToken);
    }

    public override Task<ListScenariosResponse> ListScenarios(ListScenariosRequest request, ServerCallContext context)
    {
        var lists = fallbacks.Current;
        return lists.Loaded
            ? Task.FromResult(new ListScenariosResponse { ModelVersion = lists.ModelVersion, Scenarios = { lists.Scenarios } })
            : throw new RpcException(new Status(
                StatusCode.Unavailable, "The scenarios have not been read from Redis yet; try again in a moment."));
    }

    private static void Check(string? problem)
    {
        if (problem is not null)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, problem));
        }
    }

    private static void MarkDegraded(ServerCallContext context) => context.ResponseTrailers.Add(DegradedTrailer, "redis");
}
