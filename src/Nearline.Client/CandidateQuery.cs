using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Catalog.V1;

namespace Nearline.Client;

/// <summary>Which candidates are wanted.</summary>
/// <param name="UserId">At most 256 bytes, neither '{' nor '}'.</param>
/// <param name="Scenario">One of those that <see cref="NearlineClient.ListScenariosAsync"/> names.</param>
public sealed record CandidateQuery(string UserId, string Scenario)
{
    /// <summary>At most so many, 1 to 1000; 0, the default: the whole set.</summary>
    public int Limit { get; init; }

    /// <summary>Shows to leave out, at most 1000.</summary>
    public IReadOnlyCollection<string> ExcludeItemIds { get; init; } = [];

    /// <summary>Only shows of these categories; none, the default: all.</summary>
    public IReadOnlyCollection<ShowCategory> Categories { get; init; } = [];

    /// <summary>An older set is labelled <see cref="CandidateSource.Stale"/> and renewed. Null, the default: any age is fresh.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>The experiment whose set is wanted. Empty, the default: the default set.</summary>
    public string Variant { get; init; } = "";

    internal GetCandidatesRequest ToRequest() => new()
    {
        UserId = UserId,
        Scenario = Scenario,
        Limit = Limit,
        ExcludeItemIds = { ExcludeItemIds },
        Categories = { Categories },
        MaxAge = MaxAge is { } age ? Duration.FromTimeSpan(age) : null,
        Variant = Variant,
    };
}
