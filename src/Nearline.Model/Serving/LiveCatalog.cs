using System.Runtime.InteropServices;
using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Index;

namespace Nearline.Model.Serving;

/// <summary>
/// The shows that may be found now: those of the model, in its order, then those that came after it, the side segment.
/// Rows count through both. Not thread-safe.
/// </summary>
internal sealed class LiveCatalog
{
    private readonly IReadOnlyList<Scenario> scenarios;
    private readonly Func<Show, LivePlace?> place;
    private readonly int dimension;
    private readonly CatalogItem[] items;
    private readonly Dictionary<string, int> rows;
    private readonly ItemMask present;
    private readonly ItemMask[] pools;
    private readonly Dictionary<string, LiveShow> added = new(StringComparer.Ordinal);
    private readonly HashSet<string> unreachable = new(StringComparer.Ordinal);
    private Limited[] limited;
    private Dictionary<string, int> sideRows = new(StringComparer.Ordinal);

    /// <param name="items">The model's shows.</param>
    /// <param name="scenarios">Its scenarios.</param>
    /// <param name="dimension">Width of the index's rows.</param>
    /// <param name="place">Where an unseen show lies; null when its metadata tell the model nothing.</param>
    public LiveCatalog(IReadOnlyList<CatalogItem> items, IReadOnlyList<Scenario> scenarios, int dimension, Func<Show, LivePlace?> place)
    {
        this.items = [.. items];
        this.scenarios = scenarios;
        this.place = place;
        this.dimension = dimension;
        rows = items.Index().ToDictionary(i => i.Item.Id, i => i.Index, StringComparer.Ordinal);
        present = ItemMask.All(items.Count);
        pools = [.. scenarios.Select(s => ItemMask.Of(items.Count, i => IsInPool(s, items[i])))];
        limited = AllLimited();
        SideIndex = new ExactIndex([], dimension);
    }

    /// <summary>Shows of the model.</summary>
    public int ModelCount => items.Length;

    /// <summary>Shows in all, present or not.</summary>
    public int Count => items.Length + Side.Count;

    /// <summary>The side segment, in the order of its rows; another list whenever it changes.</summary>
    public IReadOnlyList<LiveShow> Side { get; private set; } = [];

    /// <summary>The rows past the model's, counted from zero.</summary>
    public ExactIndex SideIndex { get; private set; }

    /// <summary>A show.</summary>
    public CatalogItem this[int row] => row < items.Length ? items[row] : Side[row - items.Length].Item;

    /// <summary>Whether a show can be found: it came after the model and has a row.</summary>
    public bool HasAdded(string showId) => added.ContainsKey(showId);

    /// <summary>A show's row in the side segment, counted from zero; -1: it has none.</summary>
    public int SideRowOf(string showId) => sideRows.GetValueOrDefault(showId, -1);

    /// <summary>Whether a show came after the model and its content has no place in it.</summary>
    public bool IsUnreachable(string showId) => unreachable.Contains(showId);

    /// <summary>Whether a show of the model is not gone.</summary>
    public bool IsPresent(int row) => present[row];

    /// <inheritdoc cref="IServingRetriever.Apply"/>
    public CatalogState Apply(IReadOnlyList<CatalogChange> changes)
    {
        var isSideChanged = false;
        foreach (var change in changes)
        {
            if (rows.TryGetValue(change.ShowId, out var row))
            {
                Change(row, change.Show);
            }
            else
            {
                isSideChanged |= added.Remove(change.ShowId) | Add(change);
            }
        }

        limited = AllLimited();
        if (isSideChanged)
        {
            // In the order of their ids, so that equal scores come in the same order in every process.
            Side = [.. added.Values.OrderBy(a => a.Show.Id, StringComparer.Ordinal)];
            SideIndex = new ExactIndex([.. Side.SelectMany(a => a.Place.Row)], dimension);
            sideRows = Side.Index().ToDictionary(s => s.Item.Show.Id, s => s.Index, StringComparer.Ordinal);
        }

        return new CatalogState(Side.Count, items.Length - present.Count, [.. unreachable.Order(StringComparer.Ordinal)]);
    }

    /// <summary>The model's shows that a user may get in a scenario.</summary>
    /// <param name="scenario">The scenario's row.</param>
    /// <param name="watched">Rows of watched shows.</param>
    /// <param name="now">When.</param>
    public ItemMask Mask(int scenario, ReadOnlySpan<int> watched, DateTimeOffset now)
    {
        var mask = pools[scenario].Clone();
        foreach (var item in watched)
        {
            mask.Remove(item);
        }

        var ticks = now.UtcTicks;
        foreach (var show in limited)
        {
            if (ticks < show.From || ticks >= show.Until)
            {
                mask.Remove(show.Row);
            }
        }

        return mask;
    }

    /// <summary>The same of the side segment, whose shows are known by their ids alone.</summary>
    /// <param name="scenario">The scenario's row.</param>
    /// <param name="history">The user's; null: watched shows count too.</param>
    /// <param name="now">When.</param>
    public ItemMask SideMask(int scenario, UserHistory? history, DateTimeOffset now) => ItemMask.Of(Side.Count, i =>
        IsInPool(scenarios[scenario], Side[i].Item) && Side[i].Item.IsAvailable(now) && history?.HasWatched(Side[i].Item.Id) != true);

    /// <summary>The model's shows of a scenario's pool, or of all, that are not gone.</summary>
    public IEnumerable<int> Present(int? scenario) =>
        Enumerable.Range(0, items.Length).Where(i => scenario is { } s ? pools[s][i] : present[i]);

    private static bool IsInPool(Scenario scenario, CatalogItem item) =>
        scenario.PoolCategories.Count == 0 || scenario.PoolCategories.Contains(item.Category);

    private static CatalogItem Described(Show show, int watchers, IReadOnlyList<int> scenarioWatchers) =>
        new(show.Id, show.Category, show.Title, show.AvailableFrom, show.AvailableUntil, watchers, scenarioWatchers);

    private void Change(int row, Show? show)
    {
        if (show is null)
        {
            present.Remove(row);
        }
        else
        {
            present.Add(row);
            items[row] = Described(show, items[row].Watchers, items[row].ScenarioWatchers);
        }

        for (var s = 0; s < pools.Length; s++)
        {
            if (present[row] && IsInPool(scenarios[s], items[row]))
            {
                pools[s].Add(row);
            }
            else
            {
                pools[s].Remove(row);
            }
        }
    }

    private bool Add(CatalogChange change)
    {
        unreachable.Remove(change.ShowId);
        if (change.Show is not { } show)
        {
            return false;
        }

        if (place(show) is { } found)
        {
            added[show.Id] = new LiveShow(show, Described(show, 0, new int[scenarios.Count]), found);
            return true;
        }

        unreachable.Add(show.Id);
        return false;
    }

    private Limited[] AllLimited() =>
    [
        .. Enumerable.Range(0, items.Length).Where(i => items[i].AvailableFrom is not null || items[i].AvailableUntil is not null)
            .Select(i => new Limited(i, items[i].AvailableFrom?.UtcTicks ?? long.MinValue, items[i].AvailableUntil?.UtcTicks ?? long.MaxValue)),
    ];

    /// <summary>A show that is not always available. Every mask looks at all of them, so they lie side by side.</summary>
    /// <param name="Row">Of the model's shows.</param>
    /// <param name="From">The first UTC tick when it is.</param>
    /// <param name="Until">The first when it is not any more.</param>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Limited(int Row, long From, long Until);
}
