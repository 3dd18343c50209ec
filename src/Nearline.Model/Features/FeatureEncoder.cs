using Nearline.Model.Behaviours;

namespace Nearline.Model.Features;

/// <summary>
/// Turns user histories into indices of embedding rows. The one encoder of training, evaluation and serving. Keeps
/// scratch memory: not thread-safe.
/// </summary>
/// <remarks>
/// Behaviours with shows that neither the schema nor <see cref="Live"/> has are left out: without a category they belong
/// to no sequence. They still count as the time of the last behaviour.
/// </remarks>
public sealed class FeatureEncoder
{
    private readonly FeatureSchema schema;
    private readonly Dictionary<string, int> showRows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> deviceRows = new(StringComparer.Ordinal);
    private readonly ShowCategory[] categories;
    private readonly int[][] showTags;
    private readonly float[] idf;
    private readonly int[] fieldOffsets;
    private readonly int[] subsidiaryOffsets;
    private readonly List<(ShowBehaviour Behaviour, int Show)>[] slots;
    private readonly float[] tagCounts;
    private readonly List<int> touchedTags = [];

    /// <summary>An encoder for a schema.</summary>
    /// <exception cref="ArgumentException">The schema is of another version of the bucket scales.</exception>
    public FeatureEncoder(FeatureSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        if (schema.Version != FeatureSchema.CurrentVersion)
        {
            throw new ArgumentException(
                $"version: the feature schema is of version {schema.Version}; this build encodes version {FeatureSchema.CurrentVersion}",
                nameof(schema));
        }

        this.schema = schema;
        Live = new LiveShows(schema, []);
        categories = new ShowCategory[schema.Shows.Count];
        showTags = new int[schema.Shows.Count][];
        for (var i = 0; i < schema.Shows.Count; i++)
        {
            showRows[schema.Shows[i].Id] = i;
            categories[i] = schema.Shows[i].Category;
            showTags[i] = [.. schema.Shows[i].Tags];
        }

        for (var i = 0; i < schema.Devices.Count; i++)
        {
            deviceRows[schema.Devices[i]] = i + 1;
        }

        idf = [.. schema.Tags.Select(t => t.Idf)];
        tagCounts = new float[idf.Length];
        fieldOffsets = OffsetsOf(schema.FieldSizes);
        subsidiaryOffsets = Features.Subsidiaries.Offsets(schema.MaxLength);
        slots = new List<(ShowBehaviour, int)>[SequenceSlots.Count];
        for (var slot = 0; slot < slots.Length; slot++)
        {
            slots[slot] = [];
        }
    }

    /// <summary>The schema.</summary>
    public FeatureSchema Schema => schema;

    /// <summary>Shows that came after the model; in training none.</summary>
    internal LiveShows Live { get; set; }

    /// <summary>The show's row in the index; -1 for a show that the schema does not have.</summary>
    public int RowOf(string showId) => showRows.GetValueOrDefault(showId, -1);

    /// <summary>Encodes users, each at the time that its set is made for.</summary>
    public EncodedBatch Encode(IReadOnlyList<(UserHistory History, DateTimeOffset Now)> users)
    {
        ArgumentNullException.ThrowIfNull(users);
        var batch = new EncodedBatch();
        foreach (var (history, now) in users)
        {
            Append(history, now, batch);
        }

        return batch;
    }

    /// <summary>Encodes one user more into a batch.</summary>
    /// <param name="history">The user's past; everything in it may be used.</param>
    /// <param name="now">The time of the last event in it; times are told relative to it.</param>
    /// <param name="batch">The batch to extend.</param>
    public void Append(UserHistory history, DateTimeOffset now, EncodedBatch batch)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(batch);
        var lastBehaviour = Gather(history, batch);
        AppendSequences(now, batch);
        AppendTags(batch);
        AppendFields(history, now, lastBehaviour, batch);
        batch.ViewAt.Add(int.MaxValue);
        batch.ViewTimes.Add(now.UtcTicks);
        batch.ViewStarts.Add(batch.Count);
    }

    /// <summary>Encodes what a view has of its own, without the sequences that a <see cref="Timeline"/> shares among views.</summary>
    internal void AppendView(UserHistory history, DateTimeOffset now, EncodedBatch batch)
    {
        var lastBehaviour = Gather(history, batch);
        AppendTags(batch);
        AppendFields(history, now, lastBehaviour, batch);
        batch.ViewTimes.Add(now.UtcTicks);
    }

    /// <summary>The sequence of a behaviour; -1 with a show that the schema does not have.</summary>
    internal int SlotOf(ShowBehaviour behaviour) =>
        PlaceOf(behaviour.ShowId) is var show and >= 0
            ? (int)SequenceSlots.Of(behaviour.Kind, CategoryOf(show), schema.Categorize)
            : -1;

    /// <summary>Encodes a behaviour as far as it does not depend on when it is looked at from.</summary>
    internal void AppendBehaviour(ShowBehaviour behaviour, int from, int until, EncodedBatch batch)
    {
        batch.Shows.Add(PlaceOf(behaviour.ShowId) + FeatureSchema.FirstShowRow);
        batch.Times.Add(behaviour.LastTime.UtcTicks);
        batch.From.Add(from);
        batch.Until.Add(until);
        Add(batch, Subsidiary.EpisodicWatchCount, Buckets.EpisodeCount(behaviour.Episodes));
        Add(batch, Subsidiary.PlaybackDuration, Buckets.Playback(behaviour.PlayedSeconds));
        Add(batch, Subsidiary.NormalizedPlaybackDuration, Buckets.PlaybackShare(behaviour.PlayedSeconds, behaviour.LengthSeconds));
    }

    /// <summary>The show's place among the schema's shows and, past them, the live ones; -1 for a show that is neither.</summary>
    private int PlaceOf(string showId) =>
        showRows.TryGetValue(showId, out var show) ? show
        : Live.PlaceOf(showId) is var live and >= 0 ? categories.Length + live
        : -1;

    private ShowCategory CategoryOf(int place) =>
        place < categories.Length ? categories[place] : Live.CategoryOf(place - categories.Length);

    private ReadOnlySpan<int> TagsOf(int place) =>
        place < categories.Length ? showTags[place] : Live.TagsOf(place - categories.Length);

    private static int[] OffsetsOf(IReadOnlyList<int> sizes)
    {
        var offsets = new int[sizes.Count];
        for (var i = 1; i < offsets.Length; i++)
        {
            offsets[i] = offsets[i - 1] + sizes[i - 1];
        }

        return offsets;
    }

    private static int ByTimeThenOrder((ShowBehaviour Behaviour, int Show) a, (ShowBehaviour Behaviour, int Show) b)
    {
        var byTime = a.Behaviour.LastTime.CompareTo(b.Behaviour.LastTime);
        return byTime != 0 ? byTime : a.Behaviour.Order.CompareTo(b.Behaviour.Order);
    }

    /// <summary>Sorts the behaviours into <see cref="slots"/> and lists the watched shows.</summary>
    /// <returns>The time of the latest behaviour of any kind and show.</returns>
    private DateTimeOffset? Gather(UserHistory history, EncodedBatch batch)
    {
        DateTimeOffset? last = null;
        foreach (var slot in slots)
        {
            slot.Clear();
        }

        foreach (var behaviour in history.Behaviours)
        {
            last = last is { } time && time >= behaviour.LastTime ? last : behaviour.LastTime;
            if (behaviour.Retracted || PlaceOf(behaviour.ShowId) is not (var show and >= 0))
            {
                continue;
            }

            slots[(int)SequenceSlots.Of(behaviour.Kind, CategoryOf(show), schema.Categorize)].Add((behaviour, show));
            if (behaviour.IsWatched && show < categories.Length)
            {
                batch.Watched.Add(show);
            }
        }

        foreach (var id in history.OlderWatched)
        {
            if (showRows.TryGetValue(id, out var show))
            {
                batch.Watched.Add(show);
            }
        }

        batch.WatchedStarts.Add(batch.Watched.Count);
        foreach (var slot in slots)
        {
            slot.Sort(ByTimeThenOrder);
        }

        return last;
    }

    private void AppendSequences(DateTimeOffset now, EncodedBatch batch)
    {
        var lastWatch = -1;
        ShowBehaviour? latest = null;
        for (var s = 0; s < slots.Length; s++)
        {
            var slot = slots[s];
            var first = Math.Max(0, slot.Count - schema.MaxLength);
            for (var j = first; j < slot.Count; j++)
            {
                var behaviour = slot[j].Behaviour;
                AppendBehaviour(behaviour, j, int.MaxValue, batch);
                Add(batch, Subsidiary.TimeSinceEngaged, Buckets.Elapsed(now - behaviour.LastTime));
                Add(batch, Subsidiary.PositionIndex, slot.Count - 1 - j);
            }

            if (s <= (int)SequenceSlot.WatchedLive && slot.Count > 0 &&
                (latest is null || ByTimeThenOrder((latest, 0), slot[^1]) < 0))
            {
                latest = slot[^1].Behaviour;
                lastWatch = batch.Shows.Count - 1;
            }

            batch.SequenceStarts.Add(batch.Shows.Count);
        }

        batch.LastWatch.Add(lastWatch);
    }

    private void Add(EncodedBatch batch, Subsidiary feature, int bucket) =>
        batch.Subsidiaries.Add(subsidiaryOffsets[(int)feature] + bucket);

    private void AppendTags(EncodedBatch batch)
    {
        for (var s = (int)SequenceSlot.WatchedSeries; s <= (int)SequenceSlot.WatchedLive; s++)
        {
            foreach (var (_, show) in slots[s])
            {
                foreach (var tag in TagsOf(show))
                {
                    if (tagCounts[tag] == 0)
                    {
                        touchedTags.Add(tag);
                    }

                    tagCounts[tag]++;
                }
            }
        }

        // The order of sums must not depend on the order in which a dictionary tells the behaviours.
        touchedTags.Sort();
        var squares = 0f;
        foreach (var tag in touchedTags)
        {
            tagCounts[tag] *= idf[tag];
            squares += tagCounts[tag] * tagCounts[tag];
        }

        var scale = squares > 0 ? 1 / MathF.Sqrt(squares) : 0;
        foreach (var tag in touchedTags)
        {
            batch.Tags.Add(tag);
            batch.TagWeights.Add(tagCounts[tag] * scale);
            tagCounts[tag] = 0;
        }

        touchedTags.Clear();
        batch.TagStarts.Add(batch.Tags.Count);
    }

    private void AppendFields(UserHistory history, DateTimeOffset now, DateTimeOffset? lastBehaviour, EncodedBatch batch)
    {
        var field = 0;
        void Add(params ReadOnlySpan<int> rows)
        {
            foreach (var row in rows)
            {
                batch.Fields.Add(fieldOffsets[field] + row);
            }

            batch.FieldStarts.Add(batch.Fields.Count);
            field++;
        }

        foreach (var attribute in schema.Attributes)
        {
            Add([.. attribute.RowsOf(history.Attributes.GetValueOrDefault(attribute.Name))]);
        }

        var utc = now.ToUniversalTime();
        Add(1 + utc.Hour);
        Add(1 + (int)utc.DayOfWeek);
        Add(lastBehaviour is { } time ? Buckets.Elapsed(now - time) : 0);
        Add(history.LastDevice is { } device ? deviceRows.GetValueOrDefault(device) : 0);
    }
}
