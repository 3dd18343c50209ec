using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Serving;

public sealed class NewShowPlacesTests
{
    [Fact]
    public void A_show_stands_where_content_says_or_higher_where_its_score_wins()
    {
        var known = new SearchResult([.. Enumerable.Range(0, 12)], [.. Enumerable.Range(0, 12).Select(i => 20f - i)]);
        var merged = NewShowPlaces.Merge(known, new SearchResult([1, 0, 2], [18.5f, -1, -2]), [3, 8, int.MaxValue], 12, 14);
        Assert.Equal([0, 1, 13, 2, 3, 4, 5, 6, 7, 12, 8, 9, 10, 11], merged.Rows);
        Assert.Equal([20, 19, 18.5f, 18, 17, 16, 15, 14, 13, 12, 12, 11, 10, 9], merged.Scores);

        // At most a fifth of them by force, where content says that all are best.
        merged = NewShowPlaces.Merge(known, new SearchResult([0, 1, 2, 3], [-1, -2, -3, -4]), [0, 0, 0, 0], 12, 14);
        Assert.Equal([0, 1, 12, 2, 3, 4, 5, 13, 6, 7, 8, 9, 14, 10], merged.Rows);
    }

    /// <summary>With all known shows in the sample, the place of a new one is its rank by content among those allowed.</summary>
    [Fact]
    public void A_place_is_the_rank_among_what_the_user_may_get_if_all_were_new() => Prop.ForAll(Seeds.Any, seed =>
    {
        var random = new Random(seed);
        var (shows, batch, limit) = (random.Next(1, 60), random.Next(1, 4), random.Next(1, 30));
        var (asNew, side) = (Matrix(random, shows), new ExactIndex(Matrix(random, random.Next(1, 20)), 3));
        var queries = Matrix(random, batch);
        var masks = Enumerable.Range(0, batch)
            .Select(_ => random.Next(4) == 0 ? null : ItemMask.Of(shows, _ => random.Next(3) > 0)).ToArray();
        var found = side.Search(queries, limit, []);
        var boost = random.Next(3) == 0 ? 2.0 : 1;
        var places = new NewShowPlaces(new ExactIndex(asNew, 3), [.. Enumerable.Range(0, shows)]).Of(queries, found, masks, limit, boost);
        for (var q = 0; q < batch; q++)
        {
            for (var s = 0; s < found[q].Rows.Length; s++)
            {
                var better = Enumerable.Range(0, shows).Count(i =>
                    masks[q]?[i] != false && Score(queries, q, asNew, i) >= found[q].Scores[s]);
                var place = (int)((better + 0.5) / boost);
                Assert.True(places[q][s] == place || (place >= limit && places[q][s] >= limit), $"{places[q][s]} for {place} of {limit}");
            }
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_sample_gives_about_the_places_of_the_whole()
    {
        var random = new Random(3);
        const int Shows = 6000;
        float[] Normal(int count) => [.. Enumerable.Range(0, count * 8).Select(_ => (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5))];
        var (asNew, queries) = (Normal(Shows), Normal(20));
        var side = new ExactIndex(Normal(50), 8).Search(queries, 50, []);
        var masks = Enumerable.Range(0, 20).Select(_ => (ItemMask?)ItemMask.Of(Shows, _ => random.Next(2) == 0)).ToArray();
        var whole = new NewShowPlaces(new ExactIndex(asNew, 8), [.. Enumerable.Range(0, Shows)]).Of(queries, side, masks, 3000, 1);
        int[] rows = [.. Enumerable.Range(0, Shows / 3).Select(i => i * 3)];
        var sample = new NewShowPlaces(
            new ExactIndex([.. rows.SelectMany(r => asNew[(r * 8)..((r + 1) * 8)])], 8), rows).Of(queries, side, masks, 3000, 1);
        var error = whole.Zip(sample).SelectMany(q => q.First.Zip(q.Second)).Select(p => (double)(Math.Min(p.Second, 3000) - Math.Min(p.First, 3000))).ToArray();
        Assert.InRange(error.Average(), -15, 15);
        Assert.True(error.Max(Math.Abs) < 200, $"{error.Max(Math.Abs)}");
    }

    [Fact]
    public void Merging_keeps_both_orders_and_gives_no_place_that_neither_score_nor_content_gave() => Prop.ForAll(Seeds.Any, seed =>
    {
        var random = new Random(seed);
        var (known, side) = (Ranked(random, random.Next(60)), Ranked(random, random.Next(30)));
        int[] places = random.Next(4) == 0 ? [] : [.. side.Rows.Select(_ => random.Next(70)).Order()];
        var limit = random.Next(1, 100);
        const int Offset = 1000;
        var merged = NewShowPlaces.Merge(known, side, places, Offset, limit);

        Assert.Equal(Math.Min(limit, known.Rows.Length + side.Rows.Length), merged.Rows.Length);
        int[] news = [.. merged.Rows.Where(r => r >= Offset).Select(r => r - Offset)];
        int[] olds = [.. merged.Rows.Where(r => r < Offset)];
        Assert.Equal(side.Rows[..news.Length], news);
        Assert.Equal(known.Rows[..olds.Length], olds);
        var count = 0;
        for (var i = 0; i < merged.Rows.Length; i++)
        {
            var k = i - count;
            var isDue = count < places.Length && places[count] <= k && count < Math.Round((i + 1) * NewShowPlaces.MaxShare, MidpointRounding.AwayFromZero);
            var wins = count < side.Rows.Length && (k == known.Rows.Length || side.Scores[count] > known.Scores[k]);
            Assert.Equal(isDue || wins, merged.Rows[i] >= Offset);
            Assert.True(i == 0 || merged.Scores[i - 1] >= merged.Scores[i], $"the score of place {i}");
            if (merged.Rows[i] < Offset)
            {
                Assert.Equal(known.Scores[k], merged.Scores[i]);
                continue;
            }

            Assert.Equal(wins ? side.Scores[count] : known.Scores[k], merged.Scores[i]);
            count++;
        }
    }).QuickCheckThrowOnFailure();

    private static float Score(float[] queries, int query, float[] rows, int row) =>
        Enumerable.Range(0, 3).Sum(c => queries[(query * 3) + c] * rows[(row * 3) + c]);

    // Few distinct numbers, so that many scores are equal.
    private static float[] Matrix(Random random, int rows) => [.. Enumerable.Range(0, rows * 3).Select(_ => (float)random.Next(-2, 3))];

    private static SearchResult Ranked(Random random, int count) => new(
        [.. Enumerable.Range(0, count).OrderBy(_ => random.Next())],
        [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(12)).OrderDescending()]);
}
