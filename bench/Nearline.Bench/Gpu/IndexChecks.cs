using System.Globalization;
using Nearline.Model.Index;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Bench.Gpu;

/// <summary>Whether <see cref="TorchIndex"/> on a device finds what <see cref="ExactIndex"/> and double precision find.</summary>
internal sealed class IndexChecks(Device device, int seed)
{
    private const int Limit = 300;
    private const double Unit = 1.0 / (1 << 24);

    /// <summary>Everything, the largest last.</summary>
    public void RunAll(Checks checks)
    {
        checks.Run("fp32 products", Precision);
        checks.Run("index, random cases", () => RandomCases(300));
        checks.Run("index, equal and nearly equal scores", Ties);
        checks.Run("index, fewer rows allowed than wanted", FewRows);
        checks.Run("index, 70,000 x 256", () => Large(70_000, 256));
        checks.Run("index, 1,000,000 x 128", () => Large(1_000_000, 128));
        checks.Run("index, made and disposed", Disposed);
    }

    /// <summary>The device's scores against double precision, by the bound that the proof in docs/index.md rests on.</summary>
    private string Precision()
    {
        TorchPrecision.Check(device, (x, y) => x.matmul(y));
        var worst = 0.0;
        foreach (var (queries, count, dimension) in new[] { (1, 20_000, 256), (16, 20_000, 256), (64, 20_000, 256), (100, 9_999, 100), (128, 5_000, 1024) })
        {
            var (left, right) = (Vectors(queries, dimension, 1), Vectors(count, dimension, 2));
            using var scope = NewDisposeScope();
            var product = tensor(left, [queries, dimension], device: device).matmul(tensor(right, [count, dimension], device: device).t()).cpu().data<float>().ToArray();
            for (var q = 0; q < queries; q++)
            {
                var query = left.AsSpan(q * dimension, dimension);
                for (var row = 0; row < count; row++)
                {
                    var values = right.AsSpan(row * dimension, dimension);
                    var bound = dimension * Unit * TorchError.Norm(query) * TorchError.Norm(values);
                    worst = Math.Max(worst, Math.Abs(product[(q * count) + row] - Dot(query, values)) / bound);
                }
            }
        }

        Checks.That(worst <= 1, $"a score is off by {worst} times the bound of an fp32 sum");
        return string.Create(CultureInfo.InvariantCulture, $"off by at most {worst:0.000} of the bound g |q| |x|");
    }

    /// <summary>Small matrices of all kinds, in tiles of all sizes: whole numbers with ties, copies, and scales of all magnitudes.</summary>
    private string RandomCases(int count)
    {
        var (queries, second) = (0, 0L);
        for (var i = 0; i < count; i++)
        {
            var random = new Random(unchecked((seed * 1_000_003) + i));
            var (rows, dimension, batch) = (random.Next(1, 900), random.Next(1, 70), random.Next(1, 7));
            var (matrix, wanted) = (Case(random, rows, dimension), Case(random, batch, dimension));
            var shared = ItemMask.Of(rows, _ => random.Next(2) == 0);
            ItemMask?[] masks = random.Next(3) == 0 ? [] : [.. Enumerable.Range(0, batch).Select(_ => random.Next(5) switch
            {
                0 => null,
                1 => ItemMask.None(rows),
                2 => ItemMask.Of(rows, _ => random.Next(100) == 0),
                _ => shared,
            })];
            var settings = random.Next(3) switch
            {
                0 => new TorchSettings { FewRows = 0 },
                1 => new TorchSettings { FewRows = 0, Spare = 3, TileRows = 64, ScoreBytes = 64 * 4 * 2 },
                _ => new TorchSettings { FewRows = 100, TileRows = 192, Spare = 0 },
            };
            using var index = new TorchIndex(matrix, dimension, device, settings);
            using var exact = new ExactIndex(matrix, dimension, 1);
            var limit = random.Next(4) == 0 ? random.Next(1, 2000) : random.Next(1, 60);
            Same(exact.Search(wanted, limit, masks), index.Search(wanted, limit, masks), $"case {i} of seed {seed}");
            (queries, second) = (queries + batch, second + index.SecondPasses);
        }

        return $"{count} matrices, {queries} queries as exact-cpu, bit for bit; {second} second passes";
    }

    private string Ties()
    {
        // Whole numbers: thousands of rows share the N-th score.
        const int Count = 20_000, Dimension = 64;
        var random = new Random(seed);
        var whole = Enumerable.Range(0, Count * Dimension).Select(_ => (float)random.Next(-1, 2)).ToArray();
        using var index = new TorchIndex(whole, Dimension, device, new TorchSettings());
        using var exact = new ExactIndex(whole, Dimension, 1);
        var queries = whole.AsSpan(0, 16 * Dimension).ToArray();
        Same(exact.Search(queries, Limit, []), index.Search(queries, Limit, []), "whole numbers");

        // One direction, steps of an ulp: the device's order of these rows is chance.
        var row = Vectors(1, Dimension, 3);
        var near = new float[3000 * Dimension];
        for (var r = 0; r < 3000; r++)
        {
            row.CopyTo(near, r * Dimension);
            near[(r * Dimension) + random.Next(Dimension)] *= 1 + (random.Next(4) * 1e-7f);
        }

        using var close = new TorchIndex(near, Dimension, device, new TorchSettings { TileRows = 512 });
        using var exactly = new ExactIndex(near, Dimension, 1);
        Same(exactly.Search(row, 100, []), close.Search(row, 100, []), "ulps");
        return $"as exact-cpu, bit for bit; {index.SecondPasses} and {close.SecondPasses} second passes";
    }

    private string FewRows()
    {
        const int Count = 70_000, Dimension = 64;
        var (rows, queries) = (Vectors(Count, Dimension, 4), Vectors(3, Dimension, 5));
        ItemMask[] masks = [ItemMask.None(Count), ItemMask.Of(Count, r => r is 7 or 69_999), ItemMask.Of(Count, r => r % 350 == 1)];
        using var exact = new ExactIndex(rows, Dimension, 1);
        var expected = exact.Search(queries, Limit, masks);
        foreach (var settings in new[] { new TorchSettings(), new TorchSettings { FewRows = 0 } })
        {
            using var index = new TorchIndex(rows, Dimension, device, settings);
            Same(expected, index.Search(queries, Limit, masks), $"{settings}");
        }

        return $"{string.Join(", ", expected.Select(e => e.Rows.Length))} rows of {Limit}, on the device and on the host";
    }

    /// <summary>Batches of 1, 16 and 64 under masks of all kinds against exact-cpu; some queries against double precision.</summary>
    private string Large(int count, int dimension)
    {
        var (rows, queries) = (Vectors(count, dimension, 6), Vectors(64, dimension, 7));
        using var exact = new ExactIndex(rows, dimension);
        using var index = new TorchIndex(rows, dimension, device, new TorchSettings());
        using var always = new TorchIndex(rows, dimension, device, new TorchSettings { FewRows = 0 });
        var searches = 0;
        foreach (var share in new[] { 1, 0.05, 0.001 })
        {
            var own = Enumerable.Range(0, 64).Select(q => share == 1 ? null : Random(count, share, q)).ToArray();
            var pool = share == 1 ? null : Random(count, share, 1000);
            foreach (var (masks, kind) in new[] { (own, "own"), (Enumerable.Repeat(pool, 64).ToArray(), "pool") })
            {
                var expected = exact.Search(queries, Limit, masks);
                foreach (var batch in new[] { 1, 16, 64 })
                {
                    var some = queries.AsSpan(0, batch * dimension);
                    foreach (var each in share == 0.001 ? new[] { index, always } : [index])
                    {
                        Same(expected[..batch], each.Search(some, Limit, masks[..batch]), $"batch {batch}, {kind} masks of {share}");
                        searches++;
                    }
                }

                foreach (var query in new[] { 0, 63 })
                {
                    AgreesWithDouble(rows, queries.AsSpan(query * dimension, dimension).ToArray(), masks[query], expected[query], dimension);
                }
            }
        }

        return $"{searches} searches as exact-cpu, bit for bit, 12 queries as in double precision; {index.SecondPasses + always.SecondPasses} second passes";
    }

    private string Disposed()
    {
        var rows = Vectors(70_000, 256, 8);
        var queries = rows.AsSpan(0, 64 * 256).ToArray();
        var (before, after) = (0L, 0L);
        for (var i = 0; i < 20; i++)
        {
            using (var index = new TorchIndex(rows, 256, device, new TorchSettings()))
            {
                index.Search(queries, Limit, []);
            }

            GC.Collect();
            GC.WaitForPendingFinalizers();
            (before, after) = (i == 2 ? GpuDevice.UsedBytes(device) : before, GpuDevice.UsedBytes(device));
        }

        Checks.That(after - before < 32 << 20, $"device memory grew by {(after - before) / 1e6} MB over 17 indexes");
        return string.Create(CultureInfo.InvariantCulture, $"device memory grew by {(after - before) / 1e6:0.0} MB over 17 indexes");
    }

    private static void AgreesWithDouble(float[] rows, float[] query, ItemMask? mask, SearchResult found, int dimension)
    {
        var count = rows.Length / dimension;
        var scores = new double[count];
        var longest = 0.0;
        Parallel.For(0, count, row => scores[row] = mask?[row] == false ? double.NegativeInfinity : Dot(query, rows.AsSpan(row * dimension, dimension)));
        var best = Enumerable.Range(0, count).Where(r => !double.IsNegativeInfinity(scores[r])).OrderByDescending(r => scores[r]).ThenBy(r => r).Take(Limit).ToArray();
        Checks.That(best.Length == found.Rows.Length, $"{found.Rows.Length} rows, not {best.Length}");
        foreach (var row in best.Concat(found.Rows))
        {
            longest = Math.Max(longest, TorchError.Norm(rows.AsSpan(row * dimension, dimension)));
        }

        // Rows may differ only where fp32 cannot tell their scores apart.
        var rounding = 2 * ((dimension / 16.0) + 8) * Unit * TorchError.Norm(query) * longest;
        for (var i = 0; i < best.Length; i++)
        {
            Checks.That(
                Math.Abs(scores[found.Rows[i]] - scores[best[i]]) <= rounding && Math.Abs(found.Scores[i] - scores[found.Rows[i]]) <= rounding,
                $"place {i}: row {found.Rows[i]} of {found.Scores[i]}; in double precision {best[i]} of {scores[best[i]]}");
        }
    }

    private static void Same(SearchResult[] expected, SearchResult[] found, string where)
    {
        Checks.That(expected.Length == found.Length, $"{where}: {found.Length} results, not {expected.Length}");
        for (var query = 0; query < expected.Length; query++)
        {
            Checks.That(expected[query].Rows.AsSpan().SequenceEqual(found[query].Rows), $"{where}: query {query}: other rows");
            for (var i = 0; i < expected[query].Scores.Length; i++)
            {
                Checks.That(
                    BitConverter.SingleToInt32Bits(expected[query].Scores[i]) == BitConverter.SingleToInt32Bits(found[query].Scores[i]),
                    $"{where}: query {query}, place {i}: {found[query].Scores[i]}, not {expected[query].Scores[i]}");
            }
        }
    }

    private static double Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        var sum = 0.0;
        for (var i = 0; i < left.Length; i++)
        {
            sum += (double)left[i] * right[i];
        }

        return sum;
    }

    private static float[] Case(Random random, int count, int dimension)
    {
        var values = new float[count * dimension];
        var kind = random.Next(4);
        for (var i = 0; i < count; i++)
        {
            var row = values.AsSpan(i * dimension, dimension);
            if (i > 0 && random.Next(3) == 0)
            {
                values.AsSpan(random.Next(i) * dimension, dimension).CopyTo(row);
                continue;
            }

            var scale = kind == 0 ? (float)Math.Pow(10, (random.NextDouble() * 80) - 42) : 1;
            foreach (ref var value in row)
            {
                value = kind == 1 ? random.Next(-2, 3) : Math.Clamp(((2 * random.NextSingle()) - 1) * scale, -float.MaxValue, float.MaxValue);
            }
        }

        return values;
    }

    private ItemMask Random(int count, double share, int number)
    {
        var random = new Random(unchecked((seed * 31) + number));
        return ItemMask.Of(count, _ => random.NextDouble() < share);
    }

    /// <summary>About normal, of lengths that differ by half.</summary>
    private float[] Vectors(int count, int dimension, int number)
    {
        const int Rows = 4096;
        var values = new float[(long)count * dimension];
        Parallel.For(0, (count + Rows - 1) / Rows, part =>
        {
            var random = new Random(unchecked((((seed * 31) + number) * 100_003) + part));
            for (var row = part * Rows; row < Math.Min(count, (part + 1) * Rows); row++)
            {
                var length = 0.75f + (0.5f * random.NextSingle());
                foreach (ref var value in values.AsSpan(row * dimension, dimension))
                {
                    value = length * (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f);
                }
            }
        });
        return values;
    }
}
