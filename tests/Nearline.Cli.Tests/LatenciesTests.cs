using Nearline.Cli.Demo;

namespace Nearline.Cli.Tests;

public sealed class LatenciesTests
{
    [Theory]
    [InlineData(0.5, 50)]
    [InlineData(0.99, 99)]
    [InlineData(1, 100)]
    [InlineData(0, 1)]
    public void A_quantile_is_the_nearest_rank(double share, double expected)
    {
        var latencies = new Latencies();
        foreach (var milliseconds in Enumerable.Range(1, 100).Reverse())
        {
            latencies.Add(TimeSpan.FromMilliseconds(milliseconds));
        }

        Assert.Equal(expected, latencies.Quantile(share));
    }

    [Fact]
    public void Nothing_measured_is_not_a_fast_answer() => Assert.True(double.IsNaN(new Latencies().Quantile(0.5)));
}
