using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Nearline.Api.Security;
using Nearline.Api.Tests.Support;

namespace Nearline.Api.Tests.Security;

public sealed class TokenBucketTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public void A_burst_passes_then_what_flows_in()
    {
        var bucket = new TokenBucket(perSecond: 10, burst: 3, _clock);

        Assert.True(bucket.TryTake(out _) && bucket.TryTake(out _) && bucket.TryTake(out _));
        Assert.False(bucket.TryTake(out var wait));
        Assert.Equal(TimeSpan.FromMilliseconds(100), wait);
        _clock.Advance(TimeSpan.FromMilliseconds(40));
        Assert.False(bucket.TryTake(out wait));
        Assert.Equal(TimeSpan.FromMilliseconds(60), wait);
        _clock.Advance(wait);
        Assert.True(bucket.TryTake(out _));
        Assert.False(bucket.TryTake(out _));
    }

    [Fact]
    public void What_is_charged_beyond_its_depth_is_missing_later()
    {
        var bucket = new TokenBucket(perSecond: 10, burst: 2, _clock);

        Assert.True(bucket.TryTake(out _));
        bucket.Charge(20);
        Assert.False(bucket.TryTake(out var wait));
        Assert.Equal(TimeSpan.FromSeconds(2), wait);
        Assert.False(bucket.IsFull);
        _clock.Advance(TimeSpan.FromSeconds(2.1));
        Assert.True(bucket.IsFull);
    }

    [Fact]
    public void It_gives_what_a_bucket_that_is_filled_drop_by_drop_gives()
    {
        var cases =
            from burst in Gen.Choose(1, 20)
            from steps in Gen.Choose(0, 3000).ArrayOf(200)
            select (burst, steps);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200), Prop.ForAll(Arb.From(cases), example =>
        {
            var clock = new ManualClock();
            var bucket = new TokenBucket(perSecond: 1, example.burst, clock);
            var tokens = (double)example.burst;
            foreach (var milliseconds in example.steps)
            {
                clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
                tokens = Math.Min(example.burst, tokens + (milliseconds / 1000.0));
                var expected = tokens >= 1 - 1e-9;
                Assert.Equal(expected, bucket.TryTake(out var wait));
                if (expected)
                {
                    tokens -= 1;
                }
                else
                {
                    Assert.Equal(1 - tokens, wait.TotalSeconds, 1e-6);
                }
            }
        }));
    }

    [Fact]
    public void Of_many_threads_as_many_pass_as_there_are_tokens()
    {
        var bucket = new TokenBucket(perSecond: 1, burst: 1000, _clock);
        var passed = 0;

        Parallel.For(0, 5000, _ =>
        {
            if (bucket.TryTake(out var _))
            {
                Interlocked.Increment(ref passed);
            }
        });

        Assert.Equal(1000, passed);
    }

    [Fact]
    public void Addresses_have_a_limit_each_and_a_network_of_IPv6_one()
    {
        var buckets = new AddressBuckets(perSecond: 1, burst: 1, _clock);

        Assert.Same(buckets.Of(IPAddress.Parse("10.0.0.1")), buckets.Of(IPAddress.Parse("::ffff:10.0.0.1")));
        Assert.NotSame(buckets.Of(IPAddress.Parse("10.0.0.1")), buckets.Of(IPAddress.Parse("10.0.0.2")));
        Assert.Same(buckets.Of(IPAddress.Parse("2001:db8::1")), buckets.Of(IPAddress.Parse("2001:db8::ffff:2")));
        Assert.NotSame(buckets.Of(IPAddress.Parse("2001:db8::1")), buckets.Of(IPAddress.Parse("2001:db8:0:1::1")));
        Assert.Equal(4, buckets.Count);
    }

    [Fact]
    public void Addresses_are_forgotten_when_there_are_too_many_but_not_those_that_wait()
    {
        var buckets = new AddressBuckets(perSecond: 0.1, burst: 1, _clock);
        var busy = IPAddress.Parse("192.168.0.1");
        for (var i = 0; i < 3 * AddressBuckets.MaxAddresses; i++)
        {
            Assert.True(buckets.Of(new IPAddress(i)).TryTake(out _) || i >= AddressBuckets.MaxAddresses);
        }

        Assert.Equal(AddressBuckets.MaxAddresses, buckets.Count);
        Assert.Same(buckets.Of(busy), buckets.Of(IPAddress.Parse("192.168.0.2")));

        _clock.Advance(TimeSpan.FromSeconds(11));
        Assert.True(buckets.Of(busy).TryTake(out _));
        Assert.Equal(1, buckets.Count);
        Assert.NotSame(buckets.Of(busy), buckets.Of(IPAddress.Parse("192.168.0.2")));
        Assert.False(buckets.Of(busy).TryTake(out _));
    }
}
