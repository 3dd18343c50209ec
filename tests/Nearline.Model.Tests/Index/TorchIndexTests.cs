using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Index;
using Nearline.Model.Tests.Support;
using TorchSharp;

namespace Nearline.Model.Tests.Index;

/// <summary>On torch's CPU device: tiles, masks and second passes must not show in what is found.</summary>
[Collection(TorchTests.Name)]
public sealed class TorchIndexTests
{
    private static readonly SearchSettings PlainScan = new() { Threads = 1, Kernel = null };

    private static readonly TorchSettings[] Ways =
    [
        new() { FewRows = 0 },
        new() { FewRows = 0, Spare = 0 },
        new() { FewRows = 0, Spare = 3, TileRows = 64, ScoreBytes = 64 * 4 * 2 },
        new() { FewRows = 100, TileRows = 192, ScoreBytes = 1 },
    ];

    [Fact]
    public void It_finds_what_the_cpu_finds_bit_for_bit() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var c = Case.Create(new Random(seed));
            var expected = new ExactIndex(c.Rows, c.Dimension, PlainScan).Search(c.Queries, c.Limit, c.Masks);
            foreach (var way in Ways)
            {
                using var index = new TorchIndex(c.Rows, c.Dimension, torch.CPU, way);
                AssertEqual(expected, index.Search(c.Queries, c.Limit, c.Masks), $"seed {seed}, {way}, {c}");
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(150));

    [Fact]
    public void Scores_closer_than_a_device_computes_take_a_second_pass_and_come_in_the_right_order()
    {
        // One direction, steps of an ulp: the device's order of these rows is chance.
        const int Count = 3000, Dimension = 96;
        var random = new Random(5);
        var row = Enumerable.Range(0, Dimension).Select(_ => random.NextSingle()).ToArray();
        var rows = new float[Count * Dimension];
        for (var r = 0; r < Count; r++)
        {
            row.CopyTo(rows, r * Dimension);
            rows[(r * Dimension) + random.Next(Dimension)] *= 1 + (random.Next(4) * 1e-7f);
        }

        using var index = new TorchIndex(rows, Dimension, torch.CPU, new TorchSettings { TileRows = 512 });
        AssertEqual(new ExactIndex(rows, Dimension, PlainScan).Search(row, 100, []), index.Search(row, 100, []), "ulps");
        Assert.Equal(1, index.SecondPasses);
    }

    [Fact]
    public void Scores_far_apart_take_one_pass()
    {
        var random = new Random(6);
        var rows = Enumerable.Range(0, 20_000 * 32).Select(_ => Normal(random)).ToArray();
        var queries = Enumerable.Range(0, 20 * 32).Select(_ => Normal(random)).ToArray();
        using var index = new TorchIndex(rows, 32, torch.CPU, new TorchSettings { TileRows = 4096 });
        AssertEqual(new ExactIndex(rows, 32, PlainScan).Search(queries, 300, []), index.Search(queries, 300, []), "normal");
        Assert.Equal(0, index.SecondPasses);
    }

    [Fact]
    public void A_mask_is_uploaded_once_however_many_queries_have_it()
    {
        var pool = ItemMask.Of(1000, row => row % 3 == 0);
        var own = pool.Clone();
        own.Remove(999);
        using var scope = torch.NewDisposeScope();
        var masks = TorchMasks.Upload([pool, null, pool, own, pool], 1000, torch.CPU)!;
        Assert.Equal(3, masks.Distinct);
        var forbidden = masks.Forbidden(64, 900).data<bool>().ToArray();
        for (var row = 0; row < 900; row++)
        {
            Assert.Equal([!pool[row + 64], false, !pool[row + 64], !own[row + 64], !pool[row + 64]], Enumerable.Range(0, 5).Select(q => forbidden[(q * 900) + row]));
        }

        Assert.Null(TorchMasks.Upload([null, null], 1000, torch.CPU));
    }

    [Fact]
    public void Searching_building_and_refusing_leave_no_tensors_behind()
    {
        var random = new Random(7);
        var rows = Enumerable.Range(0, 3000 * 8).Select(_ => Normal(random)).ToArray();
        var before = LiveTensors.Count();
        using (var index = new TorchIndex(rows, 8, torch.CPU, new TorchSettings { TileRows = 512, Spare = 0 }))
        {
            var built = LiveTensors.Count();
            Assert.Equal(before + 6, built);
            for (var i = 0; i < 3; i++)
            {
                index.Search(rows.AsSpan(0, 5 * 8), 50, [null, null, ItemMask.Of(3000, r => r % 2 == 0), null, ItemMask.None(3000)]);
            }

            Assert.True(index.SecondPasses > 0);
            Assert.Equal(built, LiveTensors.Count());
        }

        rows[^1] = float.NaN;
        Assert.Throws<ArgumentException>(() => new TorchIndex(rows, 8, torch.CPU, new TorchSettings()));
        Assert.Equal(before, LiveTensors.Count());
    }

    [Theory]
    [InlineData(13)]
    [InlineData(16)]
    public void A_device_that_drops_bits_of_fp32_is_refused(int bits)
    {
        TorchPrecision.Check(torch.CPU, (x, y) => x.matmul(y));

        // TensorFloat-32 and bf16: the lowest bits of every value are rounded away.
        torch.Tensor Rounded(torch.Tensor values)
        {
            float[] rounded = [.. values.data<float>().ToArray().Select(v => BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits(v) + (1 << (bits - 1))) >> bits << bits))];
            return torch.tensor(rounded).view(values.shape);
        }

        var error = Assert.Throws<InvalidOperationException>(() => TorchPrecision.Check(torch.CPU, (x, y) => Rounded(x).matmul(Rounded(y))));
        Assert.Contains("is 256 in a matrix product, not the 256.0625 of fp32", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_made_in_a_dispose_scope_outlives_it()
    {
        TorchIndex index;
        using (torch.NewDisposeScope())
        {
            index = new TorchIndex([1, 2, 3, 4], 2, "cpu");
        }

        Assert.Equal([1, 0], index.Search([1, 1], 5, [])[0].Rows);
        index.Dispose();
        Assert.Throws<ObjectDisposedException>(() => index.Search([1, 1], 5, []));
    }

    [Fact]
    public void Several_threads_may_search_at_once()
    {
        var random = new Random(8);
        var rows = Enumerable.Range(0, 4000 * 16).Select(_ => Normal(random)).ToArray();
        var queries = Enumerable.Range(0, 6 * 16).Select(_ => Normal(random)).ToArray();
        using var index = new TorchIndex(rows, 16, torch.CPU, new TorchSettings { TileRows = 1024 });
        var expected = index.Search(queries, 40, []);
        Parallel.For(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i => AssertEqual(expected, index.Search(queries, 40, []), $"search {i}"));
    }

    [Fact]
    public void Rows_queries_and_masks_that_do_not_fit_are_refused_as_the_cpu_refuses_them()
    {
        using var index = new TorchIndex(new float[6], 3, "cpu");
        var exact = new ExactIndex(new float[6], 3);
        foreach (var search in new Action<IItemIndex>[]
        {
            i => i.Search(new float[4], 1, []),
            i => i.Search([0, float.NaN, 0], 1, []),
            i => i.Search(new float[3], 0, []),
            i => i.Search(new float[3], 1, [null, null]),
            i => i.Search(new float[3], 1, [ItemMask.All(3)]),
            i => _ = i.Row(2),
        })
        {
            Assert.Equal(Assert.ThrowsAny<ArgumentException>(() => search(exact)).Message, Assert.ThrowsAny<ArgumentException>(() => search(index)).Message);
        }

        float[] rows = [0, 0, 0, float.PositiveInfinity];
        Assert.Equal(
            Assert.ThrowsAny<ArgumentException>(() => new ExactIndex(rows, 2)).Message,
            Assert.ThrowsAny<ArgumentException>(() => new TorchIndex(rows, 2, "cpu")).Message);
        Assert.Throws<ArgumentException>(() => new TorchIndex([1], 1, "tpu"));
    }

    private static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    private static void AssertEqual(SearchResult[] expected, SearchResult[] actual, string where)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var query = 0; query < expected.Length; query++)
        {
            Assert.True(expected[query].Rows.SequenceEqual(actual[query].Rows), $"{where}: query {query}: other rows");
            Assert.True(
                expected[query].Scores.Select(BitConverter.SingleToInt32Bits).SequenceEqual(actual[query].Scores.Select(BitConverter.SingleToInt32Bits)),
                $"{where}: query {query}: other scores");
        }
    }

    private sealed record Case(int Count, int Dimension, int Limit, float[] Rows, float[] Queries, List<ItemMask?> Masks)
    {
        public static Case Create(Random random)
        {
            var (count, dimension, batch) = (random.Next(8) == 0 ? random.Next(3) : random.Next(900), random.Next(1, 70), random.Next(7));
            var rows = Vectors(random, count, dimension);
            for (var row = 1; row < count && random.Next(3) == 0; row++)
            {
                // Duplicates, the same but for a bit, and the opposite.
                rows.AsSpan(random.Next(row) * dimension, dimension).CopyTo(rows.AsSpan(row * dimension));
                rows[(row * dimension) + random.Next(dimension)] *= random.Next(3) switch { 0 => 1, 1 => 1.0000001f, _ => -1 };
            }

            var shared = ItemMask.Of(count, _ => random.Next(2) == 0);
            var masks = random.Next(3) == 0 ? [] : Enumerable.Range(0, batch).Select(_ => random.Next(6) switch
            {
                0 => null,
                1 => ItemMask.None(count),
                2 => ItemMask.All(count),
                3 => ItemMask.Of(count, _ => random.Next(100) == 0),
                _ => shared,
            }).ToList();
            return new Case(count, dimension, random.Next(4) == 0 ? random.Next(1, 2000) : random.Next(1, 60), rows, Vectors(random, batch, dimension), masks);
        }

        public override string ToString() => $"{Count} x {Dimension}, {Limit} wanted, {Masks.Count} masks";

        private static float[] Vectors(Random random, int count, int dimension)
        {
            var values = new float[count * dimension];
            var kind = random.Next(4);
            for (var i = 0; i < count; i++)
            {
                // One scale, whole numbers with many ties, or scales from subnormal to beyond the range of products.
                var scale = kind == 0 ? (float)Math.Pow(10, (random.NextDouble() * 80) - 42) : 1;
                foreach (ref var value in values.AsSpan(i * dimension, dimension))
                {
                    value = kind == 1 ? random.Next(-2, 3) : Math.Clamp(Normal(random) * scale, -float.MaxValue, float.MaxValue);
                }
            }

            return values;
        }
    }
}
