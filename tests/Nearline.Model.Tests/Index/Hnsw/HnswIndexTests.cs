using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Index;
using Nearline.Model.Index.Hnsw;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Index.Hnsw;

public sealed class HnswIndexTests
{
    [Theory]
    [InlineData(0, 0.93)]
    [InlineData(0.2, 0.93)]
    [InlineData(0.6, 0.90)]
    public void Most_of_the_best_rows_are_found_also_where_norms_differ_and_all_but_all_by_a_broader_walk(double normSpread, double least)
    {
        var data = HnswData.Create(1, 8000, 48, normSpread);
        var best = new ExactIndex(data.Rows, data.Dimension).Search(data.Queries, 50, []);
        var index = data.Build().With(HnswData.AlwaysWalk);
        var narrow = HnswData.Recall(index.Search(data.Queries, 50, [], 60), best);
        var broad = HnswData.Recall(index.Search(data.Queries, 50, [], 400), best);
        Assert.True(narrow > least, $"recall {narrow}");
        Assert.True(broad > 0.99, $"recall {broad}");
    }

    [Fact]
    public void A_walk_as_broad_as_the_index_finds_what_the_exact_index_finds_in_any_data_under_any_masks() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var c = HnswCase.Create(seed);
            var found = HnswIndex.Build(c.Rows, c.Dimension, c.Settings).With(HnswData.AlwaysWalk)
                .Search(c.Queries, c.Limit, c.Masks, Math.Max(1, c.Count));
            HnswCase.AssertEqual(new ExactIndex(c.Rows, c.Dimension).Search(c.Queries, c.Limit, c.Masks), found);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void A_narrow_walk_gives_scores_to_the_bit_in_order_of_allowed_rows_alone_and_as_many_as_there_are() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var c = HnswCase.Create(seed);
            var found = HnswIndex.Build(c.Rows, c.Dimension, c.Settings).With(HnswData.AlwaysWalk)
                .Search(c.Queries, c.Limit, c.Masks, 1);
            var all = new ExactIndex(c.Rows, c.Dimension).Search(c.Queries, Math.Max(1, c.Count), c.Masks);
            for (var query = 0; query < all.Length; query++)
            {
                var place = all[query].Rows.Index().ToDictionary(r => r.Item, r => r.Index);
                Assert.Equal(Math.Min(c.Limit, place.Count), found[query].Rows.Length);
                var places = found[query].Rows.Select(row => place[row]).ToList();
                Assert.Equal(places.Order(), places);
                Assert.Equal(
                    places.Select(p => BitConverter.SingleToInt32Bits(all[query].Scores[p])),
                    found[query].Scores.Select(BitConverter.SingleToInt32Bits));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Theory]
    [InlineData(0.001)]
    [InlineData(0.01)]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.99)]
    [InlineData(1)]
    public void Masks_of_any_share_give_allowed_rows_and_most_of_the_best_by_walking_and_as_costs_demand(double share)
    {
        const int Limit = 20;
        var data = Masked.Value.Data;
        var random = new Random(2);
        ItemMask?[] masks = [.. Enumerable.Range(0, HnswData.QueryCount).Select(_ => ItemMask.Of(data.Count, _ => random.NextDouble() < share))];
        var best = new ExactIndex(data.Rows, data.Dimension).Search(data.Queries, Limit, masks);
        foreach (var index in new[] { Masked.Value.Index, Masked.Value.Index.With(HnswData.AlwaysWalk) })
        {
            var found = index.Search(data.Queries, Limit, masks, 64);
            Assert.All(found.Zip(masks), f => Assert.All(f.First.Rows, row => Assert.True(f.Second![row])));
            Assert.Equal(best.Select(b => b.Rows.Length), found.Select(f => f.Rows.Length));
            Assert.True(HnswData.Recall(found, best) > 0.95, $"recall {HnswData.Recall(found, best)}");
        }
    }

    [Fact]
    public void Masks_far_from_the_query_are_served_too()
    {
        // Only rows that a walk for the query does not come to: the worse half, and the worst.
        const int Limit = 20;
        var data = Masked.Value.Data;
        var all = new ExactIndex(data.Rows, data.Dimension).Search(data.Queries, data.Count, []);
        foreach (var first in new[] { data.Count / 2, data.Count - 200, data.Count - Limit })
        {
            ItemMask?[] masks = [.. all.Select(a =>
            {
                var mask = ItemMask.None(data.Count);
                Array.ForEach(a.Rows[first..], mask.Add);
                return mask;
            })];
            var found = Masked.Value.Index.Search(data.Queries, Limit, masks, 64);
            Assert.All(found.Zip(all), f => Assert.Equal(Limit, f.First.Rows.Intersect(f.Second.Rows[first..]).Count()));
            var best = all.Select(a => new SearchResult(a.Rows[first..(first + Limit)], [])).ToArray();
            Assert.True(HnswData.Recall(found, best) > 0.95, $"recall {HnswData.Recall(found, best)}");
        }
    }

    [Fact]
    public void Equal_rows_are_all_found()
    {
        // More of them than any row has links, twice, beside others: zeros, and the longest of all.
        const int Equal = 300, Dimension = 8;
        var data = HnswData.Create(3, 1000, Dimension, 0.2);
        var rows = (float[])data.Rows.Clone();
        for (var row = 0; row < 2 * Equal; row++)
        {
            rows.AsSpan((row < Equal ? 0 : Equal) * Dimension, Dimension).CopyTo(rows.AsSpan(row * Dimension));
        }

        rows.AsSpan(0, Equal * Dimension).Clear();
        foreach (ref var value in rows.AsSpan(Equal * Dimension, Equal * Dimension))
        {
            value *= 20;
        }

        var index = HnswIndex.Build(rows, Dimension, new HnswSettings { Links = 4 }).With(HnswData.AlwaysWalk);
        var found = index.Search(rows.AsSpan(Equal * Dimension, Dimension), Equal, [], 600)[0];
        Assert.Equal(Enumerable.Range(Equal, Equal), found.Rows.Order());
        var exact = new ExactIndex(rows, Dimension).Search(data.Queries, 20, []);
        Assert.True(HnswData.Recall(index.Search(data.Queries, 20, [], 600), exact) > 0.95);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Few_rows_are_no_error(int count)
    {
        var index = HnswIndex.Build(new float[count * 3], 3);
        Assert.Equal(Enumerable.Range(0, count), index.Search(new float[3], 5, [])[0].Rows);
        Assert.Equal(Enumerable.Range(0, count), index.With(HnswData.AlwaysWalk).Search([1, 0, 0], 5, [])[0].Rows);
        Assert.Empty(index.Search([1, 0, 0], 5, [ItemMask.None(count)])[0].Rows);
        Assert.Equal((count, 3, "hnsw"), (index.Count, index.Dimension, index.Backend));
    }

    [Fact]
    public void Many_searches_at_once_each_give_what_they_give_alone()
    {
        var (data, index) = Masked.Value;
        var walking = index.With(HnswData.AlwaysWalk);
        var mask = ItemMask.Of(data.Count, row => row % 3 != 0);
        var expected = walking.Search(data.Queries, 10, [.. Enumerable.Repeat<ItemMask?>(mask, HnswData.QueryCount)]);
        var plain = walking.Search(data.Queries, 10, []);
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i =>
        {
            var query = i % HnswData.QueryCount;
            var values = data.Queries.AsSpan(query * data.Dimension, data.Dimension);
            HnswCase.AssertEqual([expected[query]], walking.Search(values, 10, [mask]));
            HnswCase.AssertEqual([plain[query]], walking.Search(values, 10, []));
        });
    }

    [Fact]
    public void A_search_allocates_its_results_and_nothing_else()
    {
        const int Limit = 20;
        var data = Masked.Value.Data;
        var index = HnswIndex.Build(data.Rows, data.Dimension, new HnswSettings { Threads = 1 }).With(HnswData.AlwaysWalk);
        ItemMask?[] masks = [.. Enumerable.Range(0, HnswData.QueryCount).Select(i => i % 2 == 0 ? null : ItemMask.All(data.Count))];
        for (var i = 0; i < 3; i++)
        {
            index.Search(data.Queries, Limit, masks);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        var found = index.Search(data.Queries, Limit, masks);
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;

        // Two arrays and a result a query, and the array of results.
        const int Headers = 24 + 24 + 32;
        Assert.InRange(bytes, 0, (found.Length * ((2 * sizeof(int) * Limit) + Headers + 8)) + 64);
    }

    [Fact]
    public void What_does_not_fit_is_named()
    {
        var index = HnswIndex.Build(new float[6], 3);
        Assert.Throws<ArgumentException>(() => HnswIndex.Build(new float[5], 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => HnswIndex.Build(new float[5], 0));
        Assert.Contains("dimension: 100000: must be at most", Assert.Throws<ArgumentException>(() => HnswIndex.Build([], 100_000)).Message, StringComparison.Ordinal);
        Assert.Contains("row 1, column 2: NaN", Assert.Throws<ArgumentException>(() => HnswIndex.Build([1, 2, 3, 4, 5, float.NaN], 3)).Message, StringComparison.Ordinal);
        Assert.Contains("query 0, column 0: Infinity", Assert.Throws<ArgumentException>(() => index.Search([float.PositiveInfinity, 0, 0], 1, [])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => index.Search(new float[4], 1, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => index.Search(new float[3], 0, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => index.Search(new float[3], 1, [], 0));
        Assert.Contains("mask 0: of 3 rows: must be of 2", Assert.Throws<ArgumentException>(() => index.Search(new float[3], 1, [ItemMask.All(3)])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => index.Row(2).Length);
        Assert.Contains("from 2 to 256", Assert.Throws<ArgumentOutOfRangeException>(() => HnswIndex.Build([], 3, new HnswSettings { Links = 1 })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => HnswIndex.Build([], 3, new HnswSettings { Threads = 0 }));
    }

    [Fact]
    public void Building_can_be_stopped()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => HnswIndex.Build(new float[300], 3, cancellation: stop.Token));
    }

    private static readonly Lazy<(HnswData Data, HnswIndex Index)> Masked = new(() =>
    {
        var data = HnswData.Create(1, 6000, 32, 0.3);
        return (data, data.Build());
    });
}
