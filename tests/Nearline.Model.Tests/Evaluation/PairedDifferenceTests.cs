using Nearline.Model.Evaluation;

namespace Nearline.Model.Tests.Evaluation;

public sealed class PairedDifferenceTests
{
    [Fact]
    public void The_difference_is_that_of_the_averages_over_scenarios_and_runs()
    {
        int[] users = [7, 7, 8, 9];
        int[] scenarios = [0, 1, 0, 1];
        // Scenario 0: hits 1, 0.5 of 2 targets; scenario 1: hits 0, 1 of 2. The other: 0 of 2, and 1 of 2.
        var paired = PairedDifference.OfHits(users, scenarios, [[20, 0, 3, 1], [1, 21, 0, 2]], [[0, 5, 99, 0]], 20);
        Assert.Equal((0.75 - 0 + (0.5 - 0.5)) / 2, paired.Mean, 12);
    }

    [Fact]
    public void What_both_hit_does_not_widen_the_interval_and_what_differs_does()
    {
        var random = new Random(1);
        int[] users = [.. Enumerable.Range(0, 500)];
        var scenarios = new int[500];
        int[] other = [.. users.Select(_ => random.Next(2))];
        Assert.Equal(new Interval(0, 0), PairedDifference.OfHits(users, scenarios, [other], [other], 20).Interval());

        // One user in ten is gained: a share of 0.1 with its binomial error, whatever the others are.
        int[] one = [.. other.Select((rank, i) => i % 10 == 0 ? 1 : rank)];
        int[] none = [.. other.Select((rank, i) => i % 10 == 0 ? 0 : rank)];
        var paired = PairedDifference.OfHits(users, scenarios, [one], [none], 20);
        var interval = paired.Interval(2000);
        Assert.Equal(0.1, paired.Mean, 12);
        Assert.InRange(paired.Mean, interval.Low, interval.High);
        Assert.Equal(2 * 1.96 * Math.Sqrt(0.1 * 0.9 / 500), interval.High - interval.Low, 0.008);
        Assert.Equal(interval, paired.Interval(2000));
    }

    [Fact]
    public void Runs_of_other_targets_are_refused()
    {
        Assert.Equal("others", Assert.Throws<ArgumentException>(() => PairedDifference.OfHits([1, 2], [0, 0], [[1, 1]], [[1]], 20)).ParamName);
        Assert.Equal("ranks", Assert.Throws<ArgumentException>(() => PairedDifference.OfHits([1, 2], [0, 0], [], [[1, 1]], 20)).ParamName);
    }
}
