using Nearline.Cli.Demo;

namespace Nearline.Cli.Tests;

public sealed class DemoChecksTests
{
    private static readonly string[] Before = ["a", "b", "c"];

    [Fact]
    public void A_set_that_followed_its_event_passes()
    {
        var checks = new DemoChecks();
        checks.Followed("u", "a", "e1", Before, ["b", "c", "d"], "e1");
        Assert.True(checks.Passed);
    }

    [Theory]
    [InlineData("e0", new[] { "b", "c" })] // another event's set
    [InlineData("e1", new[] { "a", "b" })] // the watched show is still there
    [InlineData("e1", new string[0])] // nothing is there
    public void A_set_that_did_not_follow_fails(string trigger, string[] after)
    {
        var checks = new DemoChecks();
        checks.Followed("u", "a", "e1", Before, after, trigger);
        Assert.False(checks.Passed);
    }

    [Fact]
    public void An_unchanged_set_fails()
    {
        var checks = new DemoChecks();
        checks.Followed("u", "z", "e1", Before, Before, "e1");
        Assert.False(checks.Passed);
    }

    [Fact]
    public void A_missing_metric_fails_and_a_longer_name_does_not_stand_in_for_it()
    {
        var checks = new DemoChecks();
        checks.HasMetrics("api", "# HELP x\nnearline_api_answers_total 3\n", "nearline_api_answers_total");
        Assert.True(checks.Passed);
        checks.HasMetrics("api", "\nother_nearline_api_set_age 3\n", "nearline_api_set_age");
        Assert.False(checks.Passed);
    }
}
