using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Layers;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Layers;

public sealed class SequenceLayoutTests
{
    [Fact]
    public void Every_behaviour_has_a_place_of_its_own_and_groups_tile_the_axis() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var random = new Random(seed);
            var lengths = Enumerable.Range(0, random.Next(1, 60)).Select(_ => random.Next(3) == 0 ? 0 : random.Next(1, 101)).ToArray();
            var layout = SequenceLayout.Of(lengths);

            Assert.Equal(lengths.Count(l => l > 0), layout.Rows);
            Assert.Equal(layout.Tokens, layout.Groups.Sum(g => g.Count * g.Length));
            var taken = new bool[layout.Tokens];
            var starts = new List<(int Token, int Length)>();
            var token = 0;
            foreach (var group in layout.Groups)
            {
                Assert.Equal(group.Count, group.Lengths.Length);
                Assert.Equal(group.Length, group.Lengths.Max());
                foreach (var length in group.Lengths)
                {
                    starts.Add((token, length));
                    token += group.Length;
                }
            }

            for (var i = 0; i < lengths.Length; i++)
            {
                if (lengths[i] == 0)
                {
                    Assert.Equal(-1, layout.RowOfSequence[i]);
                    continue;
                }

                Assert.Equal(starts[layout.RowOfSequence[i]], (layout.FirstToken[i], lengths[i]));
                for (var j = 0; j < lengths[i]; j++)
                {
                    Assert.False(taken[layout.FirstToken[i] + j]);
                    taken[layout.FirstToken[i] + j] = true;
                }
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Padding_is_small_where_one_group_would_be_mostly_padding()
    {
        var random = new Random(5);
        var lengths = Enumerable.Range(0, 6 * 64).Select(_ => (int)Math.Min(100, Math.Exp(random.NextDouble() * 5))).ToArray();
        var layout = SequenceLayout.Of(lengths);
        var real = lengths.Sum();
        Assert.True(layout.Tokens < 1.12 * real, $"{layout.Tokens} tokens for {real} behaviours");
        Assert.True(100 * lengths.Length > 3 * real);
    }

    [Fact]
    public void Equal_lengths_are_one_group_without_padding()
    {
        var group = Assert.Single(SequenceLayout.Of([7, 0, 7, 7]).Groups);
        Assert.Equal((3, 7, false), (group.Count, group.Length, group.IsPadded));
    }
}
