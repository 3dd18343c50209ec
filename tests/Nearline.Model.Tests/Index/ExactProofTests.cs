using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Index;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Index;

/// <summary>Hunts for a row that the int8 pass loses: results must be those of fp32 scores of all rows, bit for bit.</summary>
public sealed class ExactProofTests
{
    private static readonly SearchSettings[] Ways =
    [
        .. Int8Kernel.Supported.Select(k => new SearchSettings { Threads = 1, Kernel = k }),
        new() { Threads = 1, Kernel = null },
        new() { Threads = 1, DenseRows = 0 },
        new() { Threads = 1, DenseRows = 65 },
        new() { Threads = 1, RowsOfStrip = 1, GuessFrom = 1 },
        new() { Threads = 3, WorkForThread = 1, RowsOfStrip = 1, GuessFrom = 1 },
        new() { Threads = 2, WorkForThread = 5000, RowsOfStrip = 100 },
    ];

    [Fact]
    public void Every_way_of_searching_finds_what_fp32_finds() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var random = new Random(seed);
            var c = Case.Create(random);
            var expected = c.Best();
            foreach (var way in Ways)
            {
                AssertEqual(expected, new ExactIndex(c.Rows, c.Dimension, way).Search(c.Queries, c.Limit, c.Masks), $"seed {seed}, {way}, {c}");
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(250));

    [Fact]
    public void Nor_is_a_row_lost_or_given_to_the_wrong_query_where_masks_share_rows() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var random = new Random(seed);
            var c = Case.Create(random, random.Next(200, 3000), random.Next(1, 70), random.Next(2, 40), random.Next(1, 25));
            c = c with { Masks = Case.Shared(random, c.Count, c.Batch) };
            var expected = c.Best();
            foreach (var way in Ways)
            {
                AssertEqual(expected, new ExactIndex(c.Rows, c.Dimension, way).Search(c.Queries, c.Limit, c.Masks), $"seed {seed}, {way}, {c}");
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(100));

    [Fact]
    public void A_search_that_is_used_again_forgets_the_groups_of_the_search_before()
    {
        var random = new Random(8);
        var c = Case.Normals(random, 4000, 48, 90, 20);
        foreach (var threads in new[] { 1, 2 })
        {
            var index = new ExactIndex(c.Rows, c.Dimension, new SearchSettings { Threads = threads, WorkForThread = 1, RowsOfStrip = 256 });
            for (var round = 0; round < 6; round++)
            {
                var masked = c with { Masks = Case.Shared(random, c.Count, c.Batch) };
                AssertEqual(masked.Best(), index.Search(c.Queries, c.Limit, masked.Masks), $"{threads} threads, round {round}");
            }
        }
    }

    [Theory]
    [InlineData(1, 5000, 300)]
    [InlineData(7, 4096, 1)]
    [InlineData(64, 5000, 100)]
    [InlineData(256, 4999, 300)]
    [InlineData(520, 2000, 50)]
    public void Nor_is_a_row_lost_in_larger_matrices(int dimension, int count, int limit)
    {
        for (var seed = 0; seed < 12; seed++)
        {
            var random = new Random(seed);
            var c = Case.Create(random, count, dimension, 5, limit);
            var expected = c.Best();
            AssertEqual(expected, new ExactIndex(c.Rows, dimension, 1).Search(c.Queries, limit, c.Masks), $"seed {seed}");
            var split = new SearchSettings { Threads = 2, WorkForThread = 1, RowsOfStrip = 256 };
            AssertEqual(expected, new ExactIndex(c.Rows, dimension, split).Search(c.Queries, limit, c.Masks), $"split, seed {seed}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Nor_where_the_sample_that_a_threshold_is_guessed_from_misleads(int threads)
    {
        // The best rows lie in the runs that are read first, so every guess is too high.
        const int Count = 20_000, Dimension = 64, Limit = 300;
        var random = new Random(9);
        var rows = Enumerable.Range(0, Count * Dimension).Select(i => Case.Normal(random) * (i / Dimension < 512 ? 3 : 1)).ToArray();
        var queries = Enumerable.Range(0, 20 * Dimension).Select(_ => Case.Normal(random)).ToArray();
        ItemMask?[] masks = [.. Enumerable.Range(0, 20).Select(q => q % 3 == 0 ? ItemMask.Of(Count, r => r % 20_000 < 12_000 && r % 7 > 0) : null)];
        var c = new Case(Count, Dimension, 20, Limit, rows, queries, [.. masks]);
        var expected = c.Best();
        var settings = new SearchSettings { Threads = threads, WorkForThread = 1, RowsOfStrip = 1024 };
        var guesses = new Guesses();
        var index = new ExactIndex(rows, Dimension, settings, guesses);
        for (var round = 0; round < 6; round++)
        {
            AssertEqual(expected, index.Search(queries, Limit, masks), $"round {round}");
            Assert.Equal(round < 3, guesses.AreWorthwhile);
        }
    }

    [Fact]
    public void Guesses_of_rows_in_no_order_are_right()
    {
        var c = Case.Normals(new Random(4), 30_000, 32, 40, 100);
        var guesses = new Guesses();
        var index = new ExactIndex(c.Rows, c.Dimension, new SearchSettings { Threads = 1 }, guesses);
        for (var round = 0; round < 5; round++)
        {
            AssertEqual(c.Best(), index.Search(c.Queries, c.Limit, []), $"round {round}");
        }

        Assert.Equal((200, 0), guesses.Counts);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(100, 1)]
    [InlineData(5000, 3)]
    [InlineData(70_000, 16)]
    public void Strips_have_every_block_once(int count, int strips)
    {
        var rows = new List<int>();
        for (var strip = 0; strip < strips; strip++)
        {
            for (var walk = new StripWalk(strip, strips, count); walk.Row >= 0; walk.Next())
            {
                rows.Add(walk.Row);
            }
        }

        Assert.Equal(Enumerable.Range(0, (count + Int8Rows.Block - 1) / Int8Rows.Block).Select(b => b * Int8Rows.Block), rows.Order());
    }

    [Fact]
    public void Rows_that_differ_by_less_than_int8_can_tell_are_told_apart()
    {
        // One direction, steps of an ulp: every bound overlaps every other, and all but ties must be rescored.
        const int Count = 2000, Dimension = 96;
        var random = new Random(5);
        var row = Enumerable.Range(0, Dimension).Select(_ => random.NextSingle()).ToArray();
        var rows = new float[Count * Dimension];
        for (var i = 0; i < Count; i++)
        {
            row.CopyTo(rows.AsSpan(i * Dimension));
            rows[(i * Dimension) + random.Next(Dimension)] += random.Next(3) * 1e-6f;
        }

        var c = new Case(Count, Dimension, 1, 100, rows, row, []);
        AssertEqual(c.Best(), new ExactIndex(rows, Dimension).Search(row, 100, []), "ulps");
    }

    [Fact]
    public void The_bounds_hold_for_every_row()
    {
        Prop.ForAll(Seeds.Any, seed =>
        {
            var random = new Random(seed);
            var c = Case.Create(random);
            var floats = c.Floats();
            if (c.Count == 0)
            {
                return;
            }

            var int8 = new Int8Rows(floats, Int8Kernel.Supported[0], 1);
            var batch = new QueryBatch();
            batch.Reset(c.Batch, int8.Stride);
            var (scores, candidates, room) = (new float[c.Count], new Candidates(), new Int8Room(int8.Stride));
            for (var query = 0; query < c.Batch; query++)
            {
                var q = c.Queries.AsSpan(query * c.Dimension, c.Dimension);
                if (!batch.TryAdd(query, q, int8))
                {
                    continue;
                }

                var bounds = batch[query];

                var padded = new float[floats.Stride];
                q.CopyTo(padded);
                floats.Score(padded, Enumerable.Range(0, c.Count).ToArray(), scores);
                candidates.Reset(c.Count);
                for (var row = 0; row < c.Count; row += Int8Rows.Block)
                {
                    var allowed = row + 64 <= c.Count ? ulong.MaxValue : (1UL << (c.Count - row)) - 1;
                    int8.OfferBlock(row, batch, [query], [allowed], [candidates], -1, room);
                }

                Assert.Equal(c.Count, candidates.Rows.Length);
                for (var i = 0; i < c.Count; i++)
                {
                    var score = (double)scores[candidates.Rows[i]];
                    Assert.True((double)candidates.Lower[i] * bounds.Scale <= score, $"seed {seed}: row {candidates.Rows[i]}: {score} below its bound");
                    Assert.True((double)candidates.Upper[i] * bounds.Scale >= score, $"seed {seed}: row {candidates.Rows[i]}: {score} above its bound");
                }
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(400));
    }

    [Fact]
    public void The_first_pass_leaves_few_rows_to_score()
    {
        const int Count = 20_000, Dimension = 128, Limit = 100;
        var random = new Random(3);
        var rows = Enumerable.Range(0, Count * Dimension).Select(_ => Case.Normal(random)).ToArray();
        var query = Enumerable.Range(0, Dimension).Select(_ => Case.Normal(random)).ToArray();
        var int8 = new Int8Rows(new Case(Count, Dimension, 1, Limit, rows, query, []).Floats(), Int8Kernel.Supported[0], 1);
        var (batch, candidates) = (new QueryBatch(), new Candidates());
        batch.Reset(1, int8.Stride);
        Assert.True(batch.TryAdd(0, query, int8));
        candidates.Reset(Limit);
        for (var row = 0; row + Int8Rows.Block <= Count; row += Int8Rows.Block)
        {
            int8.OfferBlock(row, batch, [0], [ulong.MaxValue], [candidates], -1, new Int8Room(int8.Stride));
        }

        candidates.Compact();
        Assert.InRange(candidates.Rows.Length, Limit, 5 * Limit);
    }

    [Fact]
    public async Task Searches_of_several_threads_at_once_do_not_disturb_each_other()
    {
        var c = Case.Create(new Random(11), 3000, 64, 6, 40);
        var expected = c.Best();
        var index = new ExactIndex(c.Rows, c.Dimension, new SearchSettings { Threads = 3, WorkForThread = 1, RowsOfStrip = 64 });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 50; i++)
            {
                AssertEqual(expected, index.Search(c.Queries, c.Limit, c.Masks), "at once");
            }
        })));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_search_allocates_its_results_alone(int threads)
    {
        const int Limit = 50;
        var c = Case.Normals(new Random(2), 5000, 64, 8, Limit);
        var index = new ExactIndex(c.Rows, c.Dimension, new SearchSettings { Threads = threads, WorkForThread = 1 });
        ItemMask?[] mask =
        [
            ItemMask.Of(c.Count, r => r % 20 == 0), null, ItemMask.Of(c.Count, r => r % 3 > 0), ItemMask.All(c.Count),
            .. Enumerable.Range(0, 4).Select(q => ItemMask.Of(c.Count, r => r % 7 == 0 && r % 100 != q)),
        ];
        long Allocated(Action work) => Enumerable.Range(0, 200).Min(_ =>
        {
            // The least of many: a thread that comes late brings its memory along the first time.
            var before = GC.GetAllocatedBytesForCurrentThread();
            work();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });

        var results = Allocated(() => Array.ConvertAll(new SearchResult[c.Batch], _ => new SearchResult(new int[Limit], new float[Limit])));
        Assert.InRange(Allocated(() => index.Search(c.Queries, Limit, mask)), 1, results);
    }

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

    private sealed record Case(
        int Count, int Dimension, int Batch, int Limit, float[] Rows, float[] Queries, List<ItemMask?> Masks)
    {
        public static Case Create(Random random) => Create(
            random,
            random.Next(4) == 0 ? random.Next(5) : random.Next(1500),
            random.Next(3) == 0 ? random.Next(1, 521) : random.Next(1, 70),
            random.Next(4) == 0 ? random.Next(6, 40) : random.Next(0, 6),
            random.Next(5) == 0 ? random.Next(1, 3000) : random.Next(1, 60));

        public static Case Create(Random random, int count, int dimension, int batch, int limit)
        {
            var masks = random.Next(2) == 0
                ? []
                : Enumerable.Range(0, batch).Select(_ => random.Next(6) switch
                {
                    0 => null,
                    1 => ItemMask.None(count),
                    2 => ItemMask.All(count),
                    3 => ItemMask.Of(count, _ => random.Next(1000) == 0),
                    4 => ItemMask.Of(count, r => r / 200 % 2 == 0),
                    _ => Selected(random, count),
                }).ToList();
            var queries = Enumerable.Range(0, batch).SelectMany(_ => Vector(random, dimension)).ToArray();
            var rows = Matrix(random, count, dimension, queries);
            return new Case(count, dimension, batch, limit, rows, queries, masks);
        }

        /// <summary>Masks of a few pools, some of them less a few rows, with all kinds of others between them.</summary>
        public static List<ItemMask?> Shared(Random random, int count, int batch)
        {
            var pools = Enumerable.Range(0, random.Next(1, 4)).Select(p => random.Next(3) switch
            {
                0 => ItemMask.Of(count, r => r / 64 % 4 == p),
                1 => ItemMask.Of(count, r => r % 5 == p),
                _ => Selected(random, count),
            }).ToArray();
            return [.. Enumerable.Range(0, batch).Select(_ =>
            {
                var pool = pools[random.Next(pools.Length)];
                switch (random.Next(12))
                {
                    case 0:
                        return null;
                    case 1:
                        return ItemMask.None(count);
                    case 2:
                        return Selected(random, count);
                    case 3:
                        return ItemMask.All(count);
                    case < 6:
                        return pool;
                    default:
                        var less = pool.Clone();
                        for (var i = random.Next(30); i > 0; i--)
                        {
                            less.Remove(random.Next(count));
                        }

                        return less;
                }
            })];
        }

        public static Case Normals(Random random, int count, int dimension, int batch, int limit) => new(
            count,
            dimension,
            batch,
            limit,
            [.. Enumerable.Range(0, count * dimension).Select(_ => Normal(random))],
            [.. Enumerable.Range(0, batch * dimension).Select(_ => Normal(random))],
            []);

        public static float Normal(Random random) =>
            (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

        public FloatRows Floats()
        {
            var floats = new FloatRows(Count, Dimension);
            for (var row = 0; row < Count; row++)
            {
                Rows.AsSpan(row * Dimension, Dimension).CopyTo(floats[row]);
            }

            return floats;
        }

        /// <summary>A full sort of fp32 scores.</summary>
        public SearchResult[] Best()
        {
            var floats = Floats();
            var all = Enumerable.Range(0, Count).ToArray();
            var (scores, padded) = (new float[Count], new float[floats.Stride]);
            return [.. Enumerable.Range(0, Batch).Select(query =>
            {
                Queries.AsSpan(query * Dimension, Dimension).CopyTo(padded);
                floats.Score(padded, all, scores);
                var best = all.Where(row => Masks.Count == 0 || Masks[query] is not { } mask || mask[row])
                    .OrderByDescending(row => scores[row]).ThenBy(row => row).Take(Limit).ToArray();
                return new SearchResult(best, [.. best.Select(row => scores[row])]);
            })];
        }

        public override string ToString() => $"{Count} x {Dimension}, {Batch} queries, {Limit} wanted, {Masks.Count} masks";

        private static ItemMask Selected(Random random, int count)
        {
            var share = Math.Pow(10, -3 * random.NextDouble());
            return ItemMask.Of(count, _ => random.NextDouble() < share);
        }

        private static float[] Matrix(Random random, int count, int dimension, float[] queries)
        {
            var kind = random.Next(6);
            var rows = new float[count * dimension];
            var shared = Vector(random, dimension);
            var scale = Scale(random);
            for (var row = 0; row < count; row++)
            {
                var to = rows.AsSpan(row * dimension, dimension);
                switch (kind)
                {
                    case 0:
                        // Every row another scale, some zero, denormal or huge.
                        Vector(random, dimension).CopyTo(to);
                        break;
                    case 1:
                        // Duplicates.
                        if (row > 0 && random.Next(2) == 0)
                        {
                            rows.AsSpan(random.Next(row) * dimension, dimension).CopyTo(to);
                            break;
                        }

                        Fill(random, to, scale);
                        break;
                    case 2:
                        // One direction and little else.
                        for (var i = 0; i < dimension; i++)
                        {
                            to[i] = shared[i] * (1 + (random.Next(5) * 1e-7f));
                        }

                        break;
                    case 3:
                        // A query itself, and what int8 makes of it, which bounds tell apart the least.
                        if (queries.Length > 0 && random.Next(3) == 0)
                        {
                            queries.AsSpan(random.Next(queries.Length / dimension) * dimension, dimension).CopyTo(to);
                            to[random.Next(dimension)] *= random.Next(2) == 0 ? -1 : 1.0001f;
                            break;
                        }

                        Fill(random, to, scale);
                        break;
                    case 4:
                        // One value far above the rest: int8 keeps nothing but it.
                        Fill(random, to, scale * 1e-3f);
                        to[random.Next(dimension)] = scale;
                        break;
                    default:
                        Fill(random, to, scale);
                        break;
                }

                foreach (ref var value in to)
                {
                    value = float.IsFinite(value) ? value : float.MaxValue;
                }
            }

            return rows;
        }

        private static float[] Vector(Random random, int dimension)
        {
            var vector = new float[dimension];
            switch (random.Next(12))
            {
                case 0:
                    break;
                case 1:
                    vector[random.Next(dimension)] = Scale(random);
                    break;
                case 2:
                    // Each value of another scale.
                    for (var i = 0; i < dimension; i++)
                    {
                        vector[i] = Normal(random) * (float)Math.Pow(10, random.Next(-30, 31));
                    }

                    break;
                case 3:
                    Fill(random, vector, 1e-42f);
                    break;
                case 4:
                    Fill(random, vector, random.Next(2) == 0 ? 1e37f : 1e30f);
                    break;
                default:
                    Fill(random, vector, Scale(random));
                    break;
            }

            return vector;
        }

        private static float Scale(Random random) => random.Next(3) == 0 ? (float)Math.Pow(10, random.Next(-30, 31)) : 1;

        private static void Fill(Random random, Span<float> vector, float scale)
        {
            foreach (ref var value in vector)
            {
                value = Normal(random) * scale;
            }
        }
    }
}
