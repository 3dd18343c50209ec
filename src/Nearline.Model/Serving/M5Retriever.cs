using System.Diagnostics;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Features;
using Nearline.Model.Graph;
using Nearline.Model.Index;
using Nearline.Model.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Serving;

/// <summary>
/// A model and its index: encode, one forward pass, one masked search over [E_ID, E_CG] (paper, section 4.5).
/// </summary>
public sealed class M5Retriever : IServingRetriever
{
    /// <summary>Users of one forward pass; more are served in several, so that memory stays bounded.</summary>
    private const int MaxBatch = 256;

    private readonly M5Model model;
    private readonly bool ownsModel;
    private readonly Device device;
    private readonly FeatureEncoder encoder;
    private readonly LiveCatalog catalog;
    private readonly InductiveContent? content;
    private readonly IReadOnlyList<Scenario> scenarios;
    private readonly Dictionary<string, int> scenarioRows = new(StringComparer.Ordinal);
    private readonly IItemIndex index;
    private readonly EncodedBatch encoded = new();
    private ScoringView view;
    private Tensor? idsByContent;
    private LiveRows? live;
    private NewShowPlaces? places;

    internal M5Retriever(
        string version,
        M5Model model,
        FeatureSchema schema,
        IReadOnlyList<Scenario> scenarios,
        IReadOnlyList<CatalogItem> items,
        Device device,
        bool ownsModel,
        (IItemIndex Index, IndexInfo Info)? built = null,
        InductiveContent? content = null)
    {
        ModelVersion = version;
        this.model = model;
        this.ownsModel = ownsModel;
        this.device = device;
        this.content = content;
        this.scenarios = scenarios;
        encoder = new FeatureEncoder(schema);
        Scenarios = [.. scenarios.Select(s => s.Id)];
        for (var s = 0; s < scenarios.Count; s++)
        {
            scenarioRows[scenarios[s].Id] = s;
        }

        catalog = new LiveCatalog(items, scenarios, model.Config.QueryWidth, PlaceOf);
        index = built?.Index ?? new ExactIndex(ReadItems(model), model.Config.QueryWidth);
        Index = built?.Info ?? IndexInfo.Of(index, "a model in memory");
        model.eval();
    }

    /// <inheritdoc/>
    public string ModelVersion { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Scenarios { get; }

    /// <inheritdoc/>
    public string Device => device.type.ToString().ToLowerInvariant();

    /// <inheritdoc/>
    public IndexInfo Index { get; }

    /// <summary>Loads a bundle, verifies it and runs it once, so that the first batch is served as fast as the rest.</summary>
    /// <param name="path">The bundle's directory.</param>
    /// <param name="deviceName">"cpu", "cuda", or "auto": cuda where there is one.</param>
    /// <param name="threads">CPU threads of torch in this process; null: half the cores.</param>
    /// <param name="backend">What searches the rows; null: whichever suits.</param>
    /// <param name="precision">Of the tower's large products.</param>
    /// <exception cref="BundleException">A file is missing, broken or does not fit the others; it is named.</exception>
    public static M5Retriever Load(string path, string deviceName = "auto", int? threads = null, BackendOptions? backend = null, ServingPrecision precision = default) =>
        Load(QuietThread.Run(() => BundleDirectory.Open(path)), deviceName, threads, backend, precision);

    /// <summary>Loads an opened bundle.</summary>
    /// <inheritdoc cref="Load(string, string, int?, BackendOptions, ServingPrecision)"/>
    public static M5Retriever Load(
        BundleDirectory bundle, string deviceName = "auto", int? threads = null, BackendOptions? backend = null, ServingPrecision precision = default)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        if (threads is { } count)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(threads));
        }

        TorchThreads.Use(threads);
        var retriever = M5Bundle.Read(bundle, Devices.Of(deviceName), backend ?? new BackendOptions(), precision);
        retriever.WarmUp();
        return retriever;
    }

    /// <summary>What of the score ranks shows. Set it before the first request, or between two.</summary>
    /// <exception cref="ArgumentException">The model has no CG channel of its own.</exception>
    public ScoringView View
    {
        get => view;
        set
        {
            if (value == ScoringView.Cg && (!model.Config.HasCg || model.Config.Channels != ModelChannels.IdAndCg))
            {
                throw new ArgumentException($"{nameof(View)}: {value}; variant '{model.Config.Variant}' has no CG channel of its own", nameof(value));
            }

            view = value;
        }
    }

    /// <summary>
    /// How many times further up a set than content says new shows stand; 0: only where their scores win them a place.
    /// <see cref="NewShowPlaces"/> says where that is.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or not finite.</exception>
    public double NewShowBoost
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = double.IsFinite(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "must be finite");
        }
    } = 1;

    /// <summary>What it encodes users with.</summary>
    internal FeatureEncoder Encoder => encoder;

    /// <summary>The shows that came after the model and can be found, in the order of their ids.</summary>
    internal IReadOnlyList<LiveShow> Side => catalog.Side;

    /// <inheritdoc/>
    public bool Knows(string showId) => encoder.RowOf(showId) >= 0 || catalog.HasAdded(showId);

    /// <inheritdoc/>
    public CatalogState Apply(IReadOnlyList<CatalogChange> changes)
    {
        ArgumentNullException.ThrowIfNull(changes);
        var before = catalog.Side;
        var state = catalog.Apply(changes);
        if (!ReferenceEquals(before, catalog.Side))
        {
            FollowSide();
        }

        return state;
    }

    /// <inheritdoc/>
    public RetrievalBatch Retrieve(IReadOnlyList<RetrievalRequest> requests, int limit)
    {
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var users = new List<IReadOnlyList<ScenarioCandidates>>(requests.Count);
        var (towerTime, indexTime) = (TimeSpan.Zero, TimeSpan.Zero);
        for (var from = 0; from < requests.Count; from += MaxBatch)
        {
            var (tower, search) = Retrieve(requests, from, Math.Min(from + MaxBatch, requests.Count), limit, users);
            towerTime += tower;
            indexTime += search;
        }

        return new RetrievalBatch(users, towerTime, indexTime);
    }

    /// <inheritdoc/>
    public ShowInspection Inspect(RetrievalRequest request, string scenario, string showId, int limit, int neighbours)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentException.ThrowIfNullOrEmpty(showId);
        ArgumentOutOfRangeException.ThrowIfLessThan(neighbours, 0);
        if (!scenarioRows.TryGetValue(scenario, out var wanted))
        {
            throw new ArgumentException($"scenario: '{scenario}': model {ModelVersion} has {string.Join(", ", Scenarios)}", nameof(scenario));
        }

        var set = Retrieve([request], limit).Users[0].FirstOrDefault(s => s.Scenario == scenario)?.Shows ?? [];
        var served = ScenariosOf(request.History);
        var inspector = new ShowInspector(catalog, index, encoder.RowOf, IdWidth);
        var row = inspector.RowOf(showId);
        var item = row < 0 ? null : catalog[row];
        var past = request.History.Behaviours.Where(b => !b.Retracted).ToLookup(b => b.ShowId, StringComparer.Ordinal);
        var inspection = new ShowInspection(
            inspector.StandingOf(showId),
            item,
            row >= 0 && row < index.Count && !catalog.IsPresent(row),
            item?.IsAvailable(request.Now) == true,
            scenarios[wanted].PoolCategories,
            request.History.HasWatched(showId),
            served.Contains(wanted))
        {
            Set = set,
            Place = set.Index().Where(s => s.Item.ShowId == showId).Select(s => (int?)s.Index).FirstOrDefault(),
            Behaviours = ShowInspector.Latest(past[showId]),
        };

        // The user is still encoded from the retrieval; with the pairs that it had, scores are its to the last bit.
        var known = catalog.Mask(wanted, encoded.WatchedOf(0), request.Now);
        var side = catalog.SideMask(wanted, request.History, request.Now);
        inspection = inspection with { Servable = known.Count + side.Count };
        if (row < 0)
        {
            return inspection;
        }

        var pairs = served.Contains(wanted) ? served : [.. served, wanted];
        var user = UserOf(pairs, pairs.IndexOf(wanted));
        var score = inspector.Score(row, user.Query);
        var own = inspector.Row(row);
        var others = request.History.Behaviours.Where(b => !b.Retracted && b.ShowId != showId).ToLookup(b => b.ShowId, StringComparer.Ordinal);
        return inspection with
        {
            Scores = new ScoreParts(
                score,
                VectorMath.Dot(user.Query.AsSpan(0, IdWidth), own[..IdWidth]),
                user.Weight,
                VectorMath.Dot(user.Id, own[..IdWidth]),
                user.Cg is { } cg ? VectorMath.Dot(cg, own[IdWidth..]) : 0),
            Before = inspector.Before(row, score, user.Query, known, side),
            NearestById = inspector.Nearest(row, others, byId: true, neighbours),
            NearestByContent = user.Cg is null ? [] : inspector.Nearest(row, others, byId: false, neighbours),
        };
    }

    /// <inheritdoc/>
    public IReadOnlyList<ScenarioCandidates> FallbackLists(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var lists = new List<ScenarioCandidates> { new("", MostWatched(null, i => i.Watchers, limit)) };
        for (var s = 0; s < Scenarios.Count; s++)
        {
            var scenario = s;
            lists.Add(new ScenarioCandidates(Scenarios[s], MostWatched(scenario, i => i.ScenarioWatchers[scenario], limit)));
        }

        return lists;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        live?.Dispose();
        idsByContent?.Dispose();
        index.Dispose();
        if (ownsModel)
        {
            content?.Dispose();
            model.Dispose();
        }
    }

    /// <summary>The queries of a batch's pairs, [P, QueryWidth] row-major: the whole user tower.</summary>
    internal float[] Queries(EncodedBatch users, ReadOnlySpan<int> pairUsers, ReadOnlySpan<int> pairScenarios)
    {
        if (pairUsers.IsEmpty)
        {
            return [];
        }

        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        return Floats(Tower(users, pairUsers, pairScenarios).Query());
    }

    /// <summary>Columns of the ID channel in a row; in a model of one channel all of them.</summary>
    private int IdWidth => model.Config.Channels == ModelChannels.IdAndCg ? model.Config.Width : model.Config.QueryWidth;

    private M5Output Tower(EncodedBatch users, ReadOnlySpan<int> pairUsers, ReadOnlySpan<int> pairScenarios)
    {
        var batch = BatchTensors.From(users, pairUsers, pairScenarios, Scenarios.Count, device, model.Config.LookBack, live);
        var output = model.Forward(batch);
        return view == ScoringView.Cg ? output with { UserId = zeros_like(output.UserId) } : output;
    }

    /// <summary>What the tower makes of one pair of the only user who is encoded: u^ID, u^CG, w, and the query of them.</summary>
    private (float[] Query, float[] Id, float[]? Cg, float Weight) UserOf(IReadOnlyList<int> pairScenarios, int pair)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var output = Tower(encoded, new int[pairScenarios.Count], [.. pairScenarios]);
        float[] Of(Tensor of) => Floats(of.index_select(0, tensor(new long[] { pair }).to(of.device)));
        return (Of(output.Query()), Of(output.UserId), output.UserCg is { } cg ? Of(cg) : null, output.Weight is { } weight ? Of(weight)[0] : 1);
    }

    private static float[] Floats(Tensor values) => values.cpu().data<float>().ToArray();

    private static float[] ReadItems(M5Model model)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        return Floats(model.Items());
    }

    /// <summary>What users do with the shows of the side segment tells of their taste from now on.</summary>
    private void FollowSide()
    {
        using var gradient = no_grad();
        using var scope = NewDisposeScope();
        live?.Dispose();
        live = null;
        if (catalog.Side.Count > 0)
        {
            idsByContent ??= model.IdsByContent().DetachFromDisposeScope();
            var cgs = tensor(catalog.Side.SelectMany(s => s.Place.Cg).ToArray()).view(catalog.Side.Count, -1).to(device);
            live = new LiveRows(model.LiveIds(cgs, idsByContent).DetachFromDisposeScope(), cgs.DetachFromDisposeScope());
            places ??= content!.Known is { Rows.Length: > 0 } known
                ? new NewShowPlaces(new ExactIndex(NewRows(known.Cgs), model.Config.QueryWidth), known.Rows)
                : null;
        }

        encoder.Live = new LiveShows(encoder.Schema, [.. catalog.Side.Select(s => s.Show)]);
    }

    /// <summary>Rows of the index for new shows, by their CG embeddings.</summary>
    private float[] NewRows(float[] cgs)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        return Floats(model.NewItems(tensor(cgs).view(-1, model.Config.Width).to(device)));
    }

    /// <summary>Where a new show lies; null when its metadata tell the model nothing.</summary>
    private LivePlace? PlaceOf(Show show) => content?.Embed(show) is { } embedding ? new LivePlace(NewRows(embedding), embedding) : null;

    private (TimeSpan Tower, TimeSpan Index) Retrieve(
        IReadOnlyList<RetrievalRequest> requests, int from, int to, int limit, List<IReadOnlyList<ScenarioCandidates>> users)
    {
        var start = Stopwatch.GetTimestamp();
        encoded.Clear();
        var (pairUsers, pairScenarios) = (new List<int>(), new List<int>());
        for (var r = from; r < to; r++)
        {
            encoder.Append(requests[r].History, requests[r].Now, encoded);
            foreach (var scenario in ScenariosOf(requests[r].History))
            {
                pairUsers.Add(r - from);
                pairScenarios.Add(scenario);
            }
        }

        int[] userOf = [.. pairUsers];
        var queries = Queries(encoded, userOf, [.. pairScenarios]);
        var towerDone = Stopwatch.GetTimestamp();

        var masks = new ItemMask?[userOf.Length];
        var sideMasks = new ItemMask?[catalog.SideIndex.Count > 0 ? userOf.Length : 0];
        ForPairs(masks.Length, p =>
        {
            var request = requests[from + userOf[p]];
            masks[p] = catalog.Mask(pairScenarios[p], request.IncludeWatched ? [] : encoded.WatchedOf(userOf[p]), request.Now);
            if (sideMasks.Length > 0)
            {
                sideMasks[p] = catalog.SideMask(pairScenarios[p], request.IncludeWatched ? null : request.History, request.Now);
            }
        });

        var found = index.Search(queries, Math.Min(limit, Math.Max(1, index.Count)), masks);
        if (sideMasks.Length > 0)
        {
            var beside = catalog.SideIndex.Search(queries, Math.Min(limit, catalog.SideIndex.Count), sideMasks);
            var due = view == ScoringView.Served && NewShowBoost > 0 ? places?.Of(queries, beside, masks, limit, NewShowBoost) : null;
            found = [.. found.Select((known, p) => NewShowPlaces.Merge(known, beside[p], due is null ? [] : due[p], catalog.ModelCount, limit))];
        }

        var shows = new ScoredShow[userOf.Length][];
        ForPairs(shows.Length, p => shows[p] = Describe(found[p], queries, p));
        for (int user = 0, p = 0; user < to - from; user++)
        {
            var sets = new List<ScenarioCandidates>();
            for (; p < userOf.Length && userOf[p] == user; p++)
            {
                sets.Add(new ScenarioCandidates(Scenarios[pairScenarios[p]], shows[p]));
            }

            users.Add(sets);
        }

        return (Stopwatch.GetElapsedTime(start, towerDone), Stopwatch.GetElapsedTime(towerDone));
    }

    /// <summary>
    /// What the host does for each pair: on several threads beside a GPU, which waits for it; otherwise the cores are the
    /// tower's and the index's, and one does it.
    /// </summary>
    private void ForPairs(int count, Action<int> work)
    {
        if (device.type != DeviceType.CPU)
        {
            Parallel.For(0, count, work);
            return;
        }

        for (var p = 0; p < count; p++)
        {
            work(p);
        }
    }

    private List<int> ScenariosOf(UserHistory history)
    {
        var rows = new List<int>();
        foreach (var scenario in history.Scenarios)
        {
            if (scenarioRows.TryGetValue(scenario, out var row))
            {
                rows.Add(row);
            }
        }

        return rows.Count > 0 || history.Scenarios.Count > 0 ? rows : [.. Enumerable.Range(0, Scenarios.Count)];
    }

    private ScoredShow[] Describe(SearchResult found, float[] queries, int pair)
    {
        var idWidth = IdWidth;
        var query = queries.AsSpan(model.Config.QueryWidth * pair, model.Config.QueryWidth);
        var shows = new ScoredShow[found.Rows.Length];
        for (var i = 0; i < shows.Length; i++)
        {
            var (row, score) = (found.Rows[i], found.Scores[i]);
            var item = catalog[row];

            // Nobody knows yet what the ID channel will say of a new show: its part is what the show's place asks for.
            var idScore = row < index.Count
                ? VectorMath.Dot(query[..idWidth], index.Row(row)[..idWidth])
                : score - VectorMath.Dot(query[idWidth..], catalog.SideIndex.Row(row - index.Count)[idWidth..]);
            shows[i] = new ScoredShow(item.Id, item.Category, score, idScore);
        }

        return shows;
    }

    private ScoredShow[] MostWatched(int? scenario, Func<CatalogItem, int> count, int limit) =>
    [
        .. catalog.Present(scenario)
            .OrderByDescending(i => count(catalog[i])).ThenByDescending(i => catalog[i].Watchers).ThenBy(i => i)
            .Take(limit)
            .Select(i => new ScoredShow(catalog[i].Id, catalog[i].Category, count(catalog[i]), 0)),
    ];

    private void WarmUp()
    {
        var now = DateTimeOffset.UnixEpoch;
        foreach (var size in new[] { 1, 1, 8 })
        {
            var requests = Enumerable.Range(0, size).Select(u =>
            {
                var history = new UserHistory();
                for (var i = 0; i < Math.Min(catalog.ModelCount, 30); i++)
                {
                    history.Apply(new UserAction(ActionKind.Watch, now) { ShowId = catalog[(u + i) % catalog.ModelCount].Id });
                }

                return new RetrievalRequest("warm-up", history, now);
            });
            Retrieve([.. requests], 100);
        }
    }
}
