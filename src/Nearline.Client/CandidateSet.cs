using Nearline.Contracts.Candidates.V1;

namespace Nearline.Client;

/// <summary>A user's candidates, and where they come from.</summary>
public sealed record CandidateSet
{
    /// <summary>Best first.</summary>
    public required IReadOnlyList<CandidateShow> Shows { get; init; }

    /// <summary>The user's own set, fresh or stale, or a list of what is popular.</summary>
    public required CandidateSource Source { get; init; }

    /// <summary>Redis did not answer: the list is from the api's memory, and may hold shows that the user has watched.</summary>
    public required bool IsDegraded { get; init; }

    /// <summary>The model that made it; empty when there is none yet.</summary>
    public required string ModelVersion { get; init; }

    /// <summary>When it was made. Null: unknown.</summary>
    public required DateTimeOffset? GeneratedAt { get; init; }

    /// <summary>How old it is by the api's clock. Null: unknown.</summary>
    public required TimeSpan? Age { get; init; }

    /// <summary>The experiment that it is of; empty: the default set, or a list of what is popular.</summary>
    public required string Variant { get; init; }

    /// <summary>The event that made it necessary; empty: unknown.</summary>
    public required string TriggerEventId { get; init; }

    internal static CandidateSet Of(GetCandidatesResponse response, bool isDegraded)
    {
        var shows = new CandidateShow[response.Candidates.Count];
        for (var i = 0; i < shows.Length; i++)
        {
            var candidate = response.Candidates[i];
            shows[i] = new CandidateShow(candidate.ItemId, candidate.Score, candidate.IdScore, candidate.CgScore);
        }

        return new CandidateSet
        {
            Shows = shows,
            Source = response.Source,
            IsDegraded = isDegraded,
            ModelVersion = response.ModelVersion,
            GeneratedAt = response.GeneratedAt?.ToDateTimeOffset(),
            Age = response.Age?.ToTimeSpan(),
            Variant = response.Variant,
            TriggerEventId = response.TriggerEventId,
        };
    }
}
