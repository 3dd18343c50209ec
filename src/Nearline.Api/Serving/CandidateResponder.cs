using Grpc.Core;
using Microsoft.Extensions.Options;
using Nearline.Api.Fallbacks;
using Nearline.Api.Refreshing;
using Nearline.Api.Storage;
using Nearline.Api.Telemetry;
using Nearline.Contracts;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Refresh.V1;

namespace Nearline.Api.Serving;

/// <summary>
/// Answers valid requests: the user's own set if there is one, else a fallback list; without the shows that the user
/// has watched and those that the request does not want.
/// </summary>
internal sealed partial class CandidateResponder(
    CandidateStore store,
    FallbackLists fallbacks,
    RefreshRequester refresh,
    ApiMetrics metrics,
    IOptions<ApiOptions> options,
    TimeProvider time,
    ILogger<CandidateResponder> logger)
{
    private const int ExcludedOnStack = 128;
    private const int ScenariosShown = 20;

    /// <summary>Answers one request with at most one round trip to Redis.</summary>
    /// <param name="request">A valid one.</param>
    /// <param name="fresh">Whether what was read a moment ago will not do.</param>
    /// <param name="cancellationToken">The caller's.</param>
    public async ValueTask<Answer> GetAsync(GetCandidatesRequest request, bool fresh, CancellationToken cancellationToken)
    {
        StoredUser stored;
        try
        {
            stored = await (fresh
                ? store.ReadAsync(request.UserId, request.Scenario, request.Variant, cancellationToken)
                : store.ReadRecentAsync(request.UserId, request.Scenario, request.Variant, cancellationToken));
        }
        catch (RedisTroubleException trouble)
        {
            return FromMemory(request, trouble);
        }

        return Respond(request, stored);
    }

    /// <summary>Answers many requests with one round trip; as many answers as requests, in their order.</summary>
    public async ValueTask<Answer[]> GetManyAsync(
        IReadOnlyList<GetCandidatesRequest> requests, CancellationToken cancellationToken)
    {
        var answers = new Answer[requests.Count];
        if (requests.Count == 0)
        {
            return answers;
        }

        try
        {
            var stored = await store.ReadManyAsync(requests, cancellationToken);
            for (var i = 0; i < answers.Length; i++)
            {
                answers[i] = Respond(requests[i], stored[i]);
            }
        }
        catch (RedisTroubleException trouble)
        {
            for (var i = 0; i < answers.Length; i++)
            {
                answers[i] = FromMemory(requests[i], trouble);
            }
        }

        return answers;
    }

    /// <summary>What is wrong with asking for this scenario.</summary>
    public static Answer Unknown(string scenario, FallbackSnapshot lists)
    {
        if (!lists.Loaded)
        {
            return Answer.Failed(
                StatusCode.Unavailable, "The scenarios have not been read from Redis yet; try again in a moment.");
        }

        var known = lists.Scenarios.Count == 0
            ? "none yet: no worker has published a model"
            : string.Join(", ", lists.Scenarios.Take(ScenariosShown))
                + (lists.Scenarios.Count > ScenariosShown ? ", ... (ListScenarios names all)" : "");
        return Answer.Failed(StatusCode.NotFound, $"scenario is '{scenario}', which is not served; known: {known}");
    }

    private Answer Respond(GetCandidatesRequest request, StoredUser stored)
    {
        var watched = ReadWatched(stored.Watched);
        return TryReadSet(stored, out var set, out var isVariant)
            ? Answer.Of(FromSet(request, set, isVariant ? request.Variant : "", watched))
            : FromFallback(request, watched, degraded: false);
    }

    private RenderedResponse FromSet(GetCandidatesRequest request, StoredSet set, string variant, WatchedHashes watched)
    {
        var age = Age(set);
        var stale = request.MaxAge is { } maxAge && !(age <= maxAge.ToTimeSpan());
        var facts = new ResponseFacts(stale ? CandidateSource.Stale : CandidateSource.Personalized, variant, age);
        var response = Render(request, set, facts, watched, degraded: false);
        if (stale)
        {
            refresh.Request(request.UserId, RefreshReason.Stale);
        }

        return response;
    }

    private Answer FromFallback(GetCandidatesRequest request, WatchedHashes watched, bool degraded)
    {
        var lists = fallbacks.Current;
        if (!lists.Knows(request.Scenario))
        {
            return Unknown(request.Scenario, lists);
        }

        var (list, source) = Choose(lists, request.Scenario);
        var set = list is null ? default : list.Set;
        var facts = new ResponseFacts(source, "", Age(set), list is null ? lists.ModelVersion : null);
        var response = Render(request, set, facts, watched, degraded);
        if (!degraded)
        {
            refresh.Request(request.UserId, RefreshReason.Miss);
        }

        return Answer.Of(response, degraded);
    }

    private RenderedResponse Render(
        GetCandidatesRequest request, StoredSet set, ResponseFacts facts, WatchedHashes watched, bool degraded)
    {
        Span<ulong> excluded = request.ExcludeItemIds.Count <= ExcludedOnStack
            ? stackalloc ulong[request.ExcludeItemIds.Count]
            : new ulong[request.ExcludeItemIds.Count];
        var filter = new ShowFilter(watched, Hashes(request, excluded), CategoryBits(request));
        var response = ResponseRenderer.Render(set, filter, Limit(request), facts, out var tally);
        metrics.Answer(facts.Source, request.Scenario, tally.Admitted, facts.Age, degraded);
        metrics.Filtered(tally.Watched, tally.Excluded, tally.OtherCategory);
        return response;
    }

    // Without Redis nothing is known of the user, so watched shows cannot be left out; the caller is told by trailer.
    private Answer FromMemory(GetCandidatesRequest request, RedisTroubleException trouble)
    {
        var lists = fallbacks.Current;
        var (list, _) = Choose(lists, request.Scenario);
        return lists.Knows(request.Scenario) && list is not null
            ? FromFallback(request, default, degraded: true)
            : Answer.Failed(
                StatusCode.Unavailable,
                $"{trouble.Message}, and no fallback list for scenario '{request.Scenario}' is in memory; try again with backoff.");
    }

    /// <summary>The scenario's own list, unless it has none or an empty one.</summary>
    internal static (FallbackList? List, CandidateSource Source) Choose(FallbackSnapshot lists, string scenario) =>
        lists.In(scenario) is { Count: > 0 } own
            ? (own, CandidateSource.ScenarioFallback)
            : (lists.Everywhere, CandidateSource.GlobalFallback);

    internal static Candidate ToCandidate(StoredSet.Entry show) => new()
    {
        ItemId = show.ReadId(),
        Score = show.Score,
        IdScore = show.IdScore ?? 0,
        CgScore = show.IdScore is { } idScore ? show.Score - idScore : 0,
    };

    /// <summary>The set of the experiment that was asked for, else the default one.</summary>
    internal bool TryReadSet(StoredUser stored, out StoredSet set, out bool isVariant)
    {
        isVariant = TryReadSet(stored.Variant, out set);
        return isVariant || TryReadSet(stored.Set, out set);
    }

    /// <summary>False when there is no set, or one that cannot be decoded: then it is as good as none.</summary>
    internal bool TryReadSet(byte[]? stored, out StoredSet set)
    {
        set = default;
        if (stored is null)
        {
            return false;
        }

        try
        {
            set = StoredSet.Read(stored);
            return true;
        }
        catch (InvalidDataException e)
        {
            metrics.Unreadable("set");
            LogUnreadable("retrieval set", e.Message);
            return false;
        }
    }

    internal WatchedHashes ReadWatched(byte[]? stored)
    {
        try
        {
            return WatchedHashes.Read(stored);
        }
        catch (InvalidDataException e)
        {
            metrics.Unreadable("watched");
            LogUnreadable("list of watched shows", e.Message);
            return default;
        }
    }

    // A clock that is behind the worker's must not make a set's age negative.
    private TimeSpan? Age(StoredSet set)
    {
        if (set.ReadGeneratedAt() is not { } generatedAt)
        {
            return null;
        }

        var age = time.GetUtcNow() - generatedAt;
        return age < TimeSpan.Zero ? TimeSpan.Zero : age;
    }

    private int Limit(GetCandidatesRequest request) => request.Limit == 0 ? options.Value.DefaultLimit : request.Limit;

    private static ReadOnlySpan<ulong> Hashes(GetCandidatesRequest request, Span<ulong> hashes)
    {
        for (var i = 0; i < hashes.Length; i++)
        {
            hashes[i] = StableHash.Of(request.ExcludeItemIds[i]);
        }

        hashes.Sort();
        return hashes;
    }

    private static uint CategoryBits(GetCandidatesRequest request)
    {
        var bits = 0u;
        foreach (var category in request.Categories)
        {
            bits |= 1u << (int)category;
        }

        return bits;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A stored {What} cannot be decoded and is passed over: {Error}")]
    private partial void LogUnreadable(string what, string error);
}
