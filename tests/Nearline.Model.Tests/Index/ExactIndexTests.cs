using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Index;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Index;

public sealed class ExactIndexTests
{
    [Fact]
    public void The_best_rows_are_those_of_a_full_sort_with_masks_ties_and_limits_beyond_the_count() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            // Small whole numbers: products are exact, duplicates and ties are common.
            var c = Case.Create(seed, random => random.Next(-2, 3));
            var results = new ExactIndex(c.Rows, c.Dimension).Search(c.Queries, c.Limit, c.Masks);
            Assert.Equal(c.Batch, results.Length);
            for (var query = 0; query < c.Batch; query++)
            {
                var expected = Enumerable.Range(0, c.Count)
                    .Where(row => c.Masks.Count == 0 || c.Masks[query] is not { } mask || mask[row])
                    .Select(row => (Row: row, Score: c.Score(query, row)))
                    .OrderByDescending(x => x.Score)
                    .ThenBy(x => x.Row)
                    .Take(c.Limit)
                    .ToList();
                Assert.Equal(expected.Select(x => x.Row), results[query].Rows);
                Assert.Equal(expected.Select(x => (float)x.Score), results[query].Scores);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(400));

    [Fact]
    public void Scores_are_right_to_rounding_and_nothing_better_is_left_out() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var c = Case.Create(seed, random => (random.NextSingle() * 2) - 1);
            var results = new ExactIndex(c.Rows, c.Dimension).Search(c.Queries, c.Limit, c.Masks);
            var tolerance = c.Dimension * 1e-6;
            for (var query = 0; query < c.Batch; query++)
            {
                var (rows, scores) = results[query];
                for (var i = 0; i < rows.Length; i++)
                {
                    Assert.InRange(scores[i], c.Score(query, rows[i]) - tolerance, c.Score(query, rows[i]) + tolerance);
                    Assert.True(i == 0 || scores[i] <= scores[i - 1]);
                }

                var left = Enumerable.Range(0, c.Count)
                    .Where(row => c.Masks.Count == 0 || c.Masks[query] is not { } mask || mask[row])
                    .Except(rows)
                    .ToList();
                Assert.True(left.Count == 0 || rows.Length == c.Limit);
                Assert.All(left, row => Assert.True(c.Score(query, row) <= scores[^1] + tolerance));
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_query_alone_and_in_a_batch_gives_the_same_bits() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var c = Case.Create(seed, random => (random.NextSingle() * 2) - 1);
            var index = new ExactIndex(c.Rows, c.Dimension);
            var together = index.Search(c.Queries, c.Limit, c.Masks);
            for (var query = 0; query < c.Batch; query++)
            {
                ItemMask?[] mask = c.Masks.Count == 0 ? [] : [c.Masks[query]];
                var alone = index.Search(c.Queries.AsSpan(query * c.Dimension, c.Dimension), c.Limit, mask)[0];
                Assert.Equal(alone.Rows, together[query].Rows);
                Assert.Equal(
                    alone.Scores.Select(BitConverter.SingleToInt32Bits), together[query].Scores.Select(BitConverter.SingleToInt32Bits));
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Duplicates_of_a_row_come_in_the_order_of_rows_across_tiles()
    {
        const int Count = 3000, Dimension = 100;
        var random = new Random(1);
        var row = Enumerable.Range(0, Dimension).Select(_ => random.NextSingle()).ToArray();
        var index = new ExactIndex(Enumerable.Repeat(row, Count).SelectMany(r => r).ToArray(), Dimension);
        var found = index.Search(row, 2500, []);
        Assert.Equal(Enumerable.Range(0, 2500), found[0].Rows);
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    public void What_is_not_finite_is_refused_by_row_or_query(float value, string name)
    {
        var rows = new float[5 * 3];
        rows[(3 * 3) + 2] = value;
        Assert.Contains($"row 3, column 2: {name}: must be finite", Assert.Throws<ArgumentException>(() => new ExactIndex(rows, 3)).Message, StringComparison.Ordinal);
        var index = new ExactIndex(new float[15], 3);
        Assert.Contains($"query 3, column 2: {name}: must be finite", Assert.Throws<ArgumentException>(() => index.Search(rows, 1, [])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Products_beyond_the_range_of_float_still_rank_every_row()
    {
        var big = float.MaxValue;
        var index = new ExactIndex([big, -big, 1, 0, big, big, -big, -big], 2);
        var result = index.Search([big, big], 4, [])[0];
        Assert.Equal([2, 1], result.Rows[..2]);
        Assert.Equal(4, result.Rows.Distinct().Count());
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_named()
    {
        var index = new ExactIndex(new float[6], 3);
        Assert.Throws<ArgumentException>(() => new ExactIndex(new float[5], 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ExactIndex(new float[5], 0));
        Assert.Throws<ArgumentException>(() => index.Search(new float[4], 1, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => index.Search(new float[3], 0, []));
        Assert.Contains("masks: 2 of them: must be one a query, 1", Assert.Throws<ArgumentException>(() => index.Search(new float[3], 1, [null, null])).Message, StringComparison.Ordinal);
        Assert.Contains("mask 0: of 3 rows: must be of 2", Assert.Throws<ArgumentException>(() => index.Search(new float[3], 1, [ItemMask.All(3)])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_index_keeps_its_own_copy()
    {
        float[] rows = [1, 2, 3, 4];
        var index = new ExactIndex(rows, 2);
        rows[0] = 100;
        Assert.Equal([1, 2], index.Row(0).ToArray());
        Assert.Equal([3, 4], index.Row(1).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => index.Row(2).Length);
        Assert.Equal((2, 2, "exact-cpu"), (index.Count, index.Dimension, index.Backend));
    }

    private sealed record Case(
        int Count, int Dimension, int Batch, int Limit, float[] Rows, float[] Queries, List<ItemMask?> Masks)
    {
        public static Case Create(int seed, Func<Random, float> value)
        {
            var random = new Random(seed);
            var (count, dimension, batch) = (random.Next(400), random.Next(1, 40), random.Next(0, 7));
            var masks = random.Next(4) == 0
                ? []
                : Enumerable.Range(0, batch).Select(_ => random.Next(4) switch
                {
                    0 => null,
                    1 => ItemMask.None(count),
                    2 => ItemMask.All(count),
                    _ => ItemMask.Of(count, _ => random.Next(3) == 0),
                }).ToList();
            return new Case(
                count,
                dimension,
                batch,
                random.Next(4) == 0 ? random.Next(1, 1000) : random.Next(1, 30),
                [.. Enumerable.Range(0, count * dimension).Select(_ => value(random))],
                [.. Enumerable.Range(0, batch * dimension).Select(_ => value(random))],
                masks);
        }

        public double Score(int query, int row)
        {
            var sum = 0.0;
            for (var i = 0; i < Dimension; i++)
            {
                sum += (double)Rows[(row * Dimension) + i] * Queries[(query * Dimension) + i];
            }

            return sum;
        }
    }
}
