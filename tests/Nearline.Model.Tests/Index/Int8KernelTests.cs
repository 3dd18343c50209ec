using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Index;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Index;

public sealed class Int8KernelTests
{
    [Fact]
    public void All_kernels_give_equal_sums() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var random = new Random(seed);
            var (stride, count) = (Int8Kernel.Alignment * random.Next(1, 10), Int8Kernel.Rows * random.Next(1, 9));

            // Ends of the range are common: there sums of two products must still fit 16 bits where a kernel makes them.
            sbyte Value() => (sbyte)(random.Next(3) == 0 ? 127 * random.Next(-1, 2) : random.Next(-127, 128));
            var rows = Enumerable.Range(0, stride * count).Select(_ => (byte)(Value() + 128)).ToArray();
            var query = Enumerable.Range(0, stride).Select(_ => Value()).ToArray();
            var other = Enumerable.Range(0, stride).Select(_ => Value()).ToArray();
            var gathered = Enumerable.Range(0, count).Select(_ => random.Next(count)).ToArray();
            int[] Expected(sbyte[] by) =>
                [.. Enumerable.Range(0, count).Select(row => (int)Enumerable.Range(0, stride).Sum(i => (long)(rows[(row * stride) + i] - 128) * by[i]))];
            var (expected, expectedOther) = (Expected(query), Expected(other));
            foreach (var kernel in Int8Kernel.Supported)
            {
                var sums = new int[count];
                kernel.Consecutive(ref rows[0], query, query.Sum(v => v), sums);
                Assert.True(expected.SequenceEqual(sums), $"{kernel.Name}, seed {seed}");
                kernel.Gathered(ref rows[0], gathered, query, query.Sum(v => v), sums);
                Assert.True(gathered.Select(r => expected[r]).SequenceEqual(sums), $"{kernel.Name} gathered, seed {seed}");
                var (one, two) = (new int[count], new int[count]);
                kernel.Pair(ref rows[0], query, query.Sum(v => v), other, other.Sum(v => v), one, two);
                Assert.True(expected.SequenceEqual(one) && expectedOther.SequenceEqual(two), $"{kernel.Name} pair, seed {seed}");
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Arranged_rows_give_the_same_sums_for_any_number_of_queries() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var random = new Random(seed);
            var (stride, count) = (Int8Kernel.Alignment * random.Next(1, 10), random.Next(1, 20));
            sbyte Value() => (sbyte)(random.Next(3) == 0 ? 127 * random.Next(-1, 2) : random.Next(-127, 128));
            var rows = Enumerable.Range(0, stride * Int8Rows.Block).Select(_ => (byte)(Value() + 128)).ToArray();
            var queries = Enumerable.Range(0, stride * count).Select(_ => Value()).ToArray();
            var querySums = Enumerable.Range(0, count).Select(q => queries.Skip(q * stride).Take(stride).Sum(v => v)).ToArray();
            var which = Enumerable.Range(0, random.Next(1, Int8Kernel.QueriesOfCall + 1)).Select(_ => random.Next(count)).ToArray();
            var expected = which.SelectMany(q => Enumerable.Range(0, Int8Rows.Block)
                .Select(r => Enumerable.Range(0, stride).Sum(i => (rows[(r * stride) + i] - 128) * queries[(q * stride) + i])));
            foreach (var kernel in Int8Kernel.Supported.Where(k => k.QueriesToArrange < int.MaxValue))
            {
                var arranged = new byte[rows.Length];
                kernel.Arrange(ref rows[0], stride, ref arranged[0]);
                var sums = new int[Int8Kernel.QueriesOfCall * Int8Rows.Block];
                kernel.Arranged(ref arranged[0], queries, querySums, which, sums);
                Assert.True(expected.SequenceEqual(sums[..(which.Length * Int8Rows.Block)]), $"{kernel.Name}, seed {seed}");
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_widest_rows_do_not_overflow()
    {
        var rows = new byte[Int8Kernel.MaxStride * Int8Kernel.Rows];
        Array.Fill(rows, (byte)255);
        foreach (var sign in new[] { 1, -1 })
        {
            var query = new sbyte[Int8Kernel.MaxStride];
            Array.Fill(query, (sbyte)(sign * 127));
            foreach (var kernel in Int8Kernel.Supported)
            {
                var sums = new int[Int8Kernel.Rows];
                kernel.Consecutive(ref rows[0], query, sign * 127 * query.Length, sums);
                Assert.All(sums, s => Assert.Equal(sign * 127 * 127 * query.Length, s));
            }
        }
    }

    [Fact]
    public void The_scalar_kernel_is_always_there_and_last() => Assert.Equal("scalar", Int8Kernel.Supported[^1].Name);
}
