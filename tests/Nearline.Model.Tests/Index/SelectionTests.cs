using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Index;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Index;

public sealed class SelectionTests
{
    [Fact]
    public void As_many_values_as_wanted_reach_the_threshold_and_no_more_but_for_ties() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var random = new Random(seed);
            var count = random.Next(1, 200);
            var values = new float[(count + Selection.Lanes - 1) / Selection.Lanes * Selection.Lanes];
            for (var i = 0; i < count; i++)
            {
                values[i] = random.Next(8) switch
                {
                    0 => float.NegativeInfinity,
                    1 => float.PositiveInfinity,
                    2 => random.Next(-2, 3),
                    3 => -0f,
                    4 => float.Epsilon * random.Next(-2, 3),
                    _ => (random.NextSingle() - 0.5f) * MathF.Pow(10, random.Next(-38, 38)),
                };
            }

            var wanted = random.Next(1, count + 1);
            var descending = values[..count].OrderDescending().ToArray();
            var threshold = Selection.Highest(values, count, wanted);
            Assert.True(descending[wanted - 1] >= threshold);
            Assert.All(descending[wanted..], v => Assert.True(v < threshold || v == descending[wanted - 1]));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public void Keys_order_by_score_and_then_by_row_and_give_both_back()
    {
        (float Score, int Row)[] order =
        [
            (float.PositiveInfinity, 3), (float.MaxValue, 0), (2, 0), (1, 4), (1, int.MaxValue), (float.Epsilon, 1),
            (0, 0), (0, 9), (-float.Epsilon, 0), (-1, 2), (-2, 1), (float.NegativeInfinity, 5),
        ];
        var keys = order.Select(o => Selection.Key(o.Score, o.Row)).ToArray();
        Assert.Equal(keys.Order(), keys);
        Assert.Equal(order, keys.Select(k => (Selection.Score(k), Selection.Row(k))));
    }

    [Fact]
    public void Keys_are_sorted_however_many_with_ties() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var random = new Random(seed);
            var count = random.Next(4) == 0 ? random.Next(4000, 5000) : random.Next(600);
            var scores = random.Next(3) switch { 0 => 2, 1 => 50, _ => int.MaxValue };
            var keys = Enumerable.Range(0, count)
                .Select(_ => Selection.Key((random.Next(scores) - (scores / 3)) * 0.37f, random.Next(100_000))).ToArray();
            var expected = keys.Order().ToArray();
            Selection.Sort(keys, new ulong[count]);
            Assert.Equal(expected, keys);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));
}
