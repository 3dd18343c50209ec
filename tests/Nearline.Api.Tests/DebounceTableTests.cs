using Nearline.Api.Refreshing;
using Nearline.Api.Tests.Support;

namespace Nearline.Api.Tests;

public sealed class DebounceTableTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public void A_user_passes_once_per_window()
    {
        var table = new DebounceTable(TimeSpan.FromSeconds(30), _clock);

        Assert.True(table.TryPass("a"));
        Assert.False(table.TryPass("a"));
        Assert.True(table.TryPass("b"));
        _clock.Advance(TimeSpan.FromSeconds(29));
        Assert.False(table.TryPass("a"));
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.True(table.TryPass("a"));
        Assert.False(table.TryPass("a"));
    }

    [Fact]
    public void Users_that_share_a_slot_are_not_taken_for_each_other()
    {
        var table = new DebounceTable(TimeSpan.FromSeconds(30), _clock, slots: 1);

        foreach (var user in Enumerable.Range(0, 1000).Select(i => $"user-{i}"))
        {
            Assert.True(table.TryPass(user));
            Assert.False(table.TryPass(user));
        }
    }

    [Fact]
    public void Of_many_threads_one_passes()
    {
        var table = new DebounceTable(TimeSpan.FromSeconds(30), _clock);
        for (var round = 0; round < 50; round++)
        {
            var passed = 0;
            Parallel.For(0, 64, _ =>
            {
                if (table.TryPass($"user-{round}"))
                {
                    Interlocked.Increment(ref passed);
                }
            });
            Assert.Equal(1, passed);
        }
    }

    [Fact]
    public void No_window_lets_everything_pass()
    {
        var table = new DebounceTable(TimeSpan.Zero, _clock);

        Assert.True(table.TryPass("a") && table.TryPass("a"));
    }
}
