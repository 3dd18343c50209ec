using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;

namespace Nearline.Model.Serving;

/// <summary>What serving needs to know of a show; a line of the bundle's items, in the order of the index's rows.</summary>
/// <param name="Id">The show's id.</param>
/// <param name="Category">Its category.</param>
/// <param name="Title">What people read.</param>
/// <param name="AvailableFrom">Recommended from this time on; null: always.</param>
/// <param name="AvailableUntil">Recommended before this time; null: always.</param>
/// <param name="Watchers">Users who watched it in training.</param>
/// <param name="ScenarioWatchers">The same for each scenario of the model.</param>
public sealed record CatalogItem(
    string Id,
    ShowCategory Category,
    string Title,
    DateTimeOffset? AvailableFrom,
    DateTimeOffset? AvailableUntil,
    int Watchers,
    IReadOnlyList<int> ScenarioWatchers)
{
    /// <summary>Whether the show may be recommended at a time.</summary>
    public bool IsAvailable(DateTimeOffset time) => !(AvailableFrom > time) && !(AvailableUntil <= time);

    /// <summary>The items of a data set, with popularity counted in its logs.</summary>
    internal static CatalogItem[] Of(Dataset train)
    {
        var popularity = Popularity.Count(train, null);
        return
        [
            .. train.Shows.Select(s => new CatalogItem(
                s.Id,
                s.Category,
                s.Title,
                s.AvailableFrom,
                s.AvailableUntil,
                popularity.Of(s.Id, null),
                [.. train.Scenarios.Select(c => popularity.Of(s.Id, c.Id))])),
        ];
    }
}
