using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Features;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;

namespace Nearline.Model.Tests.Features;

public sealed class FeatureEncoderTests
{
    private static readonly DateTimeOffset Monday = new(2026, 3, 2, 21, 30, 0, TimeSpan.Zero);

    private static readonly Dataset Catalog = new(
        [
            new Show("series", ShowCategory.Series) { Tags = ["drama", "crime"] },
            new Show("movie", ShowCategory.Movie) { Tags = ["drama"] },
            new Show("movie-2", ShowCategory.Movie) { Tags = ["crime"] },
            new Show("match", ShowCategory.Live) { Tags = ["sport"] },
            new Show("match-2", ShowCategory.Live) { Tags = ["sport"] },
        ],
        [new Scenario("home")],
        [
            new UserLog(new UserProfile("a") { Attributes = new Dictionary<string, string> { ["gender"] = "f" } }, [Watch("movie", Monday, "tv")]),
            new UserLog(new UserProfile("b") { Attributes = new Dictionary<string, string> { ["gender"] = "f" } }, []),
        ]);

    private static FeatureSchema Schema(int maxLength = 10) => FeatureSchema.Build(Catalog, maxLength);

    [Fact]
    public void Watches_split_by_category_and_other_kinds_stay_whole_oldest_first()
    {
        var encoder = new FeatureEncoder(Schema());
        var batch = Encode(
            encoder,
            Watch("match", Monday),
            Watch("movie-2", Monday.AddHours(-2)),
            Watch("movie", Monday.AddHours(-1)),
            Watch("series", Monday.AddHours(-3)),
            new UserAction(ActionKind.Save, Monday) { ShowId = "match-2" },
            new UserAction(ActionKind.Save, Monday.AddDays(-1)) { ShowId = "movie-2" },
            new UserAction(ActionKind.Like, Monday) { ShowId = "series" },
            new UserAction(ActionKind.Dislike, Monday) { ShowId = "movie" });
        Assert.Equal(
            ["series", "movie-2,movie", "match", "movie-2,match-2", "series", "movie"],
            Enumerable.Range(0, 6).Select(slot => string.Join(',', ShowsOf(encoder, batch, slot))));
    }

    [Fact]
    public void Retracted_behaviours_are_left_out()
    {
        var encoder = new FeatureEncoder(Schema());
        var batch = Encode(
            encoder,
            new UserAction(ActionKind.Save, Monday) { ShowId = "movie" },
            new UserAction(ActionKind.Unsave, Monday.AddMinutes(1)) { ShowId = "movie" });
        Assert.Equal(0, batch.Behaviours);
    }

    [Fact]
    public void A_sequence_keeps_its_newest_behaviours_and_counts_positions_from_the_newest()
    {
        var encoder = new FeatureEncoder(Schema(maxLength: 1));
        var batch = Encode(encoder, Watch("movie", Monday), Watch("movie-2", Monday.AddHours(1)));
        Assert.Equal(["movie-2"], ShowsOf(encoder, batch, (int)SequenceSlot.WatchedMovies));
        Assert.Equal(0, Bucket(encoder, batch, 0, Subsidiary.PositionIndex));

        encoder = new FeatureEncoder(Schema());
        batch = Encode(encoder, Watch("movie", Monday), Watch("movie-2", Monday.AddHours(1)));
        Assert.Equal([1, 0], Enumerable.Range(0, 2).Select(j => Bucket(encoder, batch, j, Subsidiary.PositionIndex)));
    }

    [Fact]
    public void Subsidiary_features_tell_intensity_and_age_of_the_show_as_a_whole()
    {
        var encoder = new FeatureEncoder(Schema());
        var batch = Encode(
            encoder,
            Watch("series", Monday.AddHours(-3)) with { EpisodeId = "1", Played = TimeSpan.FromMinutes(30), Length = TimeSpan.FromMinutes(40) },
            Watch("series", Monday.AddHours(-1)) with { EpisodeId = "2", Played = TimeSpan.FromMinutes(10), Length = TimeSpan.FromMinutes(40) });
        Assert.Equal(Buckets.EpisodeCount(2), Bucket(encoder, batch, 0, Subsidiary.EpisodicWatchCount));
        Assert.Equal(Buckets.Playback(40 * 60), Bucket(encoder, batch, 0, Subsidiary.PlaybackDuration));
        Assert.Equal(Buckets.PlaybackShare(1, 2), Bucket(encoder, batch, 0, Subsidiary.NormalizedPlaybackDuration));
        Assert.Equal(Buckets.Elapsed(TimeSpan.Zero), Bucket(encoder, batch, 0, Subsidiary.TimeSinceEngaged));
    }

    [Fact]
    public void Context_is_told_of_now_in_utc_and_the_gap_since_the_last_behaviour()
    {
        var encoder = new FeatureEncoder(Schema());
        var history = History(Watch("movie", Monday, "tv"), new UserAction(ActionKind.Login, Monday.AddHours(4)));
        var now = Monday.AddHours(4).ToOffset(TimeSpan.FromHours(9));
        var batch = encoder.Encode([(history, now)]);
        var sizes = encoder.Schema.FieldSizes;
        int[] rows = [.. batch.Fields.Select((row, f) => row - sizes.Take(f).Sum())];
        Assert.Equal([0, 1 + 1, 1 + (int)DayOfWeek.Tuesday, Buckets.Elapsed(TimeSpan.FromHours(4)), 1], rows);
    }

    [Fact]
    public void Unknown_shows_devices_and_values_are_rows_of_their_own_or_left_out()
    {
        var encoder = new FeatureEncoder(Schema());
        var history = History(
            new UserAction(ActionKind.ProfileUpdate, Monday) { Attributes = new Dictionary<string, string> { ["gender"] = "x" } },
            Watch("new-show", Monday, "fridge"));
        var batch = encoder.Encode([(history, Monday)]);
        Assert.Equal(0, batch.Behaviours);
        Assert.Empty(batch.Watched);
        Assert.Equal(-1, batch.LastWatch[0]);
        var sizes = encoder.Schema.FieldSizes;
        Assert.Equal(0, batch.Fields[0]);
        Assert.Equal(sizes.Take(4).Sum(), batch.Fields[4]);
    }

    [Fact]
    public void Tag_weights_are_tf_idf_of_unit_length()
    {
        var encoder = new FeatureEncoder(Schema());
        var batch = Encode(encoder, Watch("series", Monday), Watch("movie", Monday));
        var tags = encoder.Schema.Tags;
        double Idf(string tag) => tags.Single(t => t.Value == tag).Idf;
        var norm = Math.Sqrt(Math.Pow(2 * Idf("drama"), 2) + Math.Pow(Idf("crime"), 2));
        var weights = batch.Tags.Zip(batch.TagWeights).ToDictionary(t => tags[t.First].Value, t => t.Second);
        Assert.Equal(2, weights.Count);
        Assert.Equal(2 * Idf("drama") / norm, weights["drama"], 1e-5);
        Assert.Equal(Idf("crime") / norm, weights["crime"], 1e-5);
    }

    [Fact]
    public void The_latest_watch_is_the_newest_over_all_categories()
    {
        var encoder = new FeatureEncoder(Schema());
        var batch = Encode(
            encoder,
            Watch("movie", Monday),
            Watch("match", Monday.AddHours(-1)),
            new UserAction(ActionKind.Save, Monday.AddHours(2)) { ShowId = "series" });
        Assert.Equal("movie", encoder.Schema.Shows[batch.Shows[batch.LastWatch[0]] - FeatureSchema.FirstShowRow].Id);
    }

    [Fact]
    public void Training_and_serving_encode_the_same_events_alike()
    {
        var dataset = TinyWorld.Create();
        var schema = FeatureSchema.Build(dataset, TinyWorld.Config.MaxLength);
        var options = TrainingOptions.Small with { SamplesPerUser = 0 };
        var part = new TrainingSampler(dataset, new FeatureEncoder(schema), options).Epoch(new Random(3)).Single();

        // The way of serving: histories restored from storage, one request each, told apart here by their rows.
        var targets = dataset.Users.SelectMany((log, user) => UnfamiliarWatches.Of(log)
            .Select(w => new EvaluationTarget(user, w, "everything", log.Actions[w].ShowId!))).ToList();
        var encoder = new FeatureEncoder(schema);
        var served = Evaluator.Requests(dataset, targets).Select(r => Describe(encoder.Encode([(r.Request.History, r.Request.Now)]), 0));
        Assert.Equal(targets.Count, part.Count);
        Assert.Equal(
            served.Order(StringComparer.Ordinal),
            Enumerable.Range(0, part.Count).Select(i => Describe(part.Users, i)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Users_copied_between_batches_stay_the_same()
    {
        var dataset = TinyWorld.Create(20);
        var encoder = new FeatureEncoder(FeatureSchema.Build(dataset, 10));
        var all = encoder.Encode([.. dataset.Users.Select(u => (TinyWorld.HistoryOf(u), u.Actions[^1].Time))]);
        var copy = new EncodedBatch();
        int[] order = [7, 3, 19, 3];
        foreach (var user in order)
        {
            copy.AppendFrom(all, user);
        }

        Assert.Equal(order.Select(u => Describe(all, u)), order.Select((_, i) => Describe(copy, i)));
    }

    [Fact]
    public void A_schema_of_another_version_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => new FeatureEncoder(Schema() with { Version = 99 }));
        Assert.Contains("version 99", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attributes_become_values_or_quantiles_and_identifying_ones_are_dropped()
    {
        var users = Enumerable.Range(0, 100).Select(i => new UserLog(
            new UserProfile($"u{i}")
            {
                Attributes = new Dictionary<string, string>
                {
                    ["gender"] = i % 2 == 0 ? "f" : "m",
                    ["height"] = (150 + (i * 0.5)).ToString(System.Globalization.CultureInfo.InvariantCulture),
                    ["postcode"] = $"p{i}",
                },
            },
            []));
        var schema = FeatureSchema.Build(Catalog with { Users = [.. users] }, 5);
        Assert.Equal(["gender", "height"], schema.Attributes.Select(a => a.Name));
        Assert.Equal(["f", "m"], schema.Attributes[0].Values);
        Assert.Equal(7, schema.Attributes[1].Boundaries.Count);
        int[] rows = [.. Enumerable.Range(140, 70).Select(h => schema.Attributes[1].RowOf($"{h}"))];
        Assert.Equal(rows.Order(), rows);
        Assert.Equal(Enumerable.Range(1, 8), rows.Distinct());
        Assert.Equal(0, schema.Attributes[1].RowOf("tall"));
    }

    [Fact]
    public void Attributes_of_several_values_are_multi_hot()
    {
        static UserLog User(string id, string languages) =>
            new(new UserProfile(id) { Attributes = new Dictionary<string, string> { ["languages"] = languages } }, []);
        var schema = FeatureSchema.Build(
            Catalog with { Users = [User("a", "en|fr"), User("b", "fr"), User("c", "en | fr|fr"), User("d", "de||en"), User("e", "tlh")] }, 5);
        var field = Assert.Single(schema.Attributes);
        Assert.True(field.IsMultiple);
        Assert.Equal(["en", "fr"], field.Values);
        Assert.Equal([1, 2], field.RowsOf("fr|en|en"));
        Assert.Equal([2], field.RowsOf(" fr "));
        Assert.Equal([1], field.RowsOf("en|tlh"));
        Assert.Equal([[0], [0], [0], [0]], new[] { null, "", "|", "de|tlh" }.Select(field.RowsOf));

        // A user between users: each keeps its own rows, and all have as many fields.
        var encoder = new FeatureEncoder(schema);
        string[] values = ["fr", "en|fr", "en"];
        var batch = encoder.Encode(
            [.. values.Select(v => (History(new UserAction(ActionKind.ProfileUpdate, Monday) { Attributes = new Dictionary<string, string> { ["languages"] = v } }), Monday))]);
        var fields = schema.FieldSizes.Count;
        Assert.Equal((3 * fields) + 1, batch.FieldStarts.Count);
        Assert.Equal(
            [[2], [1, 2], [1]],
            Enumerable.Range(0, 3).Select(u => batch.Fields[batch.FieldStarts[u * fields]..batch.FieldStarts[(u * fields) + 1]].ToArray()));
        var copy = new EncodedBatch();
        copy.AppendFrom(batch, 1);
        copy.AppendFrom(batch, 2);
        Assert.Equal([Describe(batch, 1), Describe(batch, 2)], Enumerable.Range(0, 2).Select(u => Describe(copy, u)));
    }

    private static UserAction Watch(string show, DateTimeOffset time, string? device = null) =>
        new(ActionKind.Watch, time) { ShowId = show, Device = device };

    private static UserHistory History(params UserAction[] actions)
    {
        var history = new UserHistory();
        foreach (var action in actions)
        {
            history.Apply(action);
        }

        return history;
    }

    private static EncodedBatch Encode(FeatureEncoder encoder, params UserAction[] actions)
    {
        var history = History(actions);
        return encoder.Encode([(history, history.LastEventTime!.Value)]);
    }

    private static IEnumerable<string> ShowsOf(FeatureEncoder encoder, EncodedBatch batch, int slot) =>
        batch.Shows[batch.SequenceStarts[slot]..batch.SequenceStarts[slot + 1]]
            .Select(row => encoder.Schema.Shows[row - FeatureSchema.FirstShowRow].Id);

    private static int Bucket(FeatureEncoder encoder, EncodedBatch batch, int behaviour, Subsidiary feature) =>
        batch.Subsidiaries[(behaviour * Subsidiaries.Count) + (int)feature] -
        Subsidiaries.Offsets(encoder.Schema.MaxLength)[(int)feature];

    private static string Describe(EncodedBatch batch, int user)
    {
        var starts = batch.SequenceStarts.GetRange(user * 6, 7);
        var fields = (batch.FieldStarts.Count - 1) / batch.Count;
        return System.Text.Json.JsonSerializer.Serialize(new
        {
            Lengths = starts.Skip(1).Select(s => s - starts[0]),
            Shows = batch.Shows[starts[0]..starts[6]],
            Subsidiaries = batch.Subsidiaries[(starts[0] * 5)..(starts[6] * 5)],
            Fields = Enumerable.Range(user * fields, fields).Select(f => batch.Fields[batch.FieldStarts[f]..batch.FieldStarts[f + 1]]),
            Tags = batch.Tags[batch.TagStarts[user]..batch.TagStarts[user + 1]],
            Weights = batch.TagWeights[batch.TagStarts[user]..batch.TagStarts[user + 1]],
            Last = batch.LastWatch[user] < 0 ? -1 : batch.LastWatch[user] - starts[0],
            Watched = batch.WatchedOf(user).ToArray().Order(),
        });
    }
}
