using System.Globalization;
using Grpc.Core;
using Nearline.Api.Admin;
using Nearline.Api.Fallbacks;
using Nearline.Api.Storage;
using Nearline.Contracts;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Serving;

/// <summary>
/// Says why a show is, or is not, among a user's candidates: what is stored, and what the model would do now, if a worker can
/// be asked.
/// </summary>
internal sealed class CandidateExplainer(
    CandidateStore store, CandidateResponder responder, FallbackLists fallbacks, WorkerInspector worker, TimeProvider time)
{
    // The rest is for the answer without the worker's part, which must not come too late for want of it.
    private const double WorkersShare = 0.8;

    /// <summary>Looks at what GetCandidates would serve now, without a request's own filters.</summary>
    /// <param name="request">A valid request.</param>
    /// <param name="deadline">The caller's, UTC.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RpcException">UNAVAILABLE: Redis did not answer. NOT_FOUND: the scenario is not served.</exception>
    public async ValueTask<ExplainCandidateResponse> ExplainAsync(
        ExplainCandidateRequest request, DateTime deadline, CancellationToken cancellationToken)
    {
        ExplainCandidateResponse response;
        int count;
        try
        {
            var stored = await store.ReadAsync(request.UserId, request.Scenario, request.Variant, cancellationToken);
            (response, count) = Explain(request, stored);
        }
        catch (RedisTroubleException trouble)
        {
            throw new RpcException(new Status(
                StatusCode.Unavailable, $"{trouble.Message}, so nothing is known of the user; try again with backoff."));
        }

        try
        {
            response.Explanation = await worker.ExplainAsync(request, WorkersDeadline(deadline), cancellationToken);
        }
        catch (WorkerTroubleException trouble)
        {
            response.ExplanationMissing =
                $"Masks, the weight of the channels and the user's nearest shows are missing: {trouble.Message}.";
        }

        response.Reason = Reason(request, response, count);
        return response;
    }

    private DateTime WorkersDeadline(DateTime deadline)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return deadline == DateTime.MaxValue ? deadline : now + ((deadline - now) * WorkersShare);
    }

    private (ExplainCandidateResponse Response, int Count) Explain(ExplainCandidateRequest request, StoredUser stored)
    {
        var response = new ExplainCandidateResponse
        {
            Watched = responder.ReadWatched(stored.Watched).Contains(StableHash.Of(request.ItemId)),
        };
        int count;
        if (responder.TryReadSet(stored, out var set, out var isVariant))
        {
            response.Source = CandidateSource.Personalized;
            response.Variant = isVariant ? request.Variant : "";
            response.ModelVersion = set.ReadModelVersion();
            count = set.Count;
            FindIn(set, request.ItemId, response);
        }
        else
        {
            var lists = fallbacks.Current;
            if (!lists.Knows(request.Scenario))
            {
                throw new RpcException(CandidateResponder.Unknown(request.Scenario, lists).Status);
            }

            (var list, response.Source) = CandidateResponder.Choose(lists, request.Scenario);
            response.ModelVersion = list?.ModelVersion ?? lists.ModelVersion;
            count = list?.Count ?? 0;
            if (list is not null)
            {
                FindIn(list.Set, request.ItemId, response);
            }
        }

        response.Served = response.Rank > 0 && !response.Watched;
        return (response, count);
    }

    private static void FindIn(StoredSet set, string itemId, ExplainCandidateResponse response)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(itemId);
        foreach (var show in set)
        {
            if (show.Id.SequenceEqual(bytes))
            {
                response.Rank = show.Index + 1;
                response.Candidate = CandidateResponder.ToCandidate(show);
                return;
            }
        }
    }

    private static string Reason(ExplainCandidateRequest request, ExplainCandidateResponse response, int count)
    {
        var list = response.Source switch
        {
            CandidateSource.Personalized when response.Variant.Length > 0 => $"the user's own set of experiment '{response.Variant}'",
            CandidateSource.Personalized => "the user's own set",
            CandidateSource.ScenarioFallback => "the scenario's fallback list, as the user has no set of their own",
            _ => "the fallback list of the whole service, as neither the user nor the scenario has one of their own",
        };
        FormattableString text = (response.Rank, response.Watched, response.Source) switch
        {
            (0, _, _) when response.Explanation is not null => $"'{request.ItemId}' is not in {list}.",
            (0, true, _) => $"'{request.ItemId}' is not in {list}; the user has watched it, which keeps it out.",
            (0, false, CandidateSource.Personalized) =>
                $"'{request.ItemId}' is not in {list}: it scored below the last of its {count} shows, or is unknown to model {response.ModelVersion}, or lies outside the pool of scenario '{request.Scenario}'.",
            (0, false, _) => $"'{request.ItemId}' is not among the {count} shows of {list}.",
            (_, true, _) => $"'{request.ItemId}' is number {response.Rank} of {count} in {list}, but the user has watched it, which keeps it out.",
            (_, false, CandidateSource.Personalized) =>
                $"'{request.ItemId}' is number {response.Rank} of {count} in {list}: its score {response.Candidate.Score:0.####} is {response.Candidate.IdScore:0.####} from what users like this one do and {response.Candidate.CgScore:0.####} from its content.",
            _ => $"'{request.ItemId}' is number {response.Rank} of {count} in {list}.",
        };
        var told = text.ToString(CultureInfo.InvariantCulture);
        return response switch
        {
            // Why a show of the set is in it stands there already.
            { Explanation: null } => $"{told} {response.ExplanationMissing}",
            { Rank: > 0, Source: CandidateSource.Personalized } => told,
            _ => $"{told} {response.Explanation.Reason}",
        };
    }
}
