using Nearline.Model.Features;

namespace Nearline.Model.Tests.Features;

public sealed class BucketsTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(4, 3)]
    [InlineData(5, 4)]
    [InlineData(64, 7)]
    [InlineData(int.MaxValue, 7)]
    public void Episode_counts_double(int episodes, int bucket) => Assert.Equal(bucket, Buckets.EpisodeCount(episodes));

    [Fact]
    public void Every_scale_rises_with_its_quantity_stays_within_its_size_and_uses_all_of_it()
    {
        Check(Buckets.EpisodeCounts, Enumerable.Range(0, 200).Select(Buckets.EpisodeCount));
        Check(Buckets.Playbacks, Powers().Select(s => Buckets.Playback(s)));
        Check(Buckets.PlaybackShares, Enumerable.Range(0, 40).Select(i => Buckets.PlaybackShare(i / 10.0, 2)), from: 1);
        Check(Buckets.Elapseds, Powers().Select(s => Buckets.Elapsed(TimeSpan.FromSeconds(s))), from: 1);
    }

    [Fact]
    public void Unknown_quantities_have_bucket_0()
    {
        Assert.Equal(0, Buckets.Playback(0));
        Assert.Equal(0, Buckets.PlaybackShare(100, 0));
        Assert.Equal(1, Buckets.PlaybackShare(0, 100));
    }

    [Fact]
    public void A_time_in_the_future_counts_as_now() => Assert.Equal(1, Buckets.Elapsed(TimeSpan.FromHours(-5)));

    private static IEnumerable<double> Powers() => Enumerable.Range(0, 400).Select(i => i == 0 ? 0 : Math.Pow(1.07, i));

    private static void Check(int size, IEnumerable<int> buckets, int from = 0)
    {
        int[] all = [.. buckets];
        Assert.Equal(all.Order(), all);
        Assert.Equal(Enumerable.Range(from, size - from), all.Distinct());
    }
}
