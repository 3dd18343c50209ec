using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Training;

namespace Nearline.Model.Tests.Training;

public sealed class UnfamiliarWatchesTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void First_watches_of_two_minutes_or_an_unknown_time_count()
    {
        var log = new UserLog(new UserProfile("u"),
        [
            new UserAction(ActionKind.Login, Start),
            Watch("a", 1, 600),
            Watch("b", 2, 60),
            Watch("a", 3, 600),
            Watch("c", 4, null),
            new UserAction(ActionKind.Save, Start.AddHours(5)) { ShowId = "d" },
            Watch("b", 6, 100),
            Watch("d", 7, 120),
            Watch("e", 8, 119),
        ]);
        Assert.Equal([1, 4, 6, 7], UnfamiliarWatches.Of(log));
    }

    [Fact]
    public void The_very_first_event_is_no_instance_since_nothing_was_known()
    {
        var log = new UserLog(new UserProfile("u"), [Watch("a", 0, 600), Watch("b", 1, 600)]);
        Assert.Equal([1], UnfamiliarWatches.Of(log));
    }

    [Fact]
    public void An_instance_counts_for_its_scenario_else_the_users_else_all()
    {
        string[] all = ["x", "y", "z"];
        Assert.Equal(["y"], UnfamiliarWatches.ScenariosOf(Watch("a", 0, 1) with { Scenario = "y" }, ["x"], all));
        Assert.Equal(["x", "z"], UnfamiliarWatches.ScenariosOf(Watch("a", 0, 1) with { Scenario = "gone" }, ["x", "z", "old"], all));
        Assert.Equal(all, UnfamiliarWatches.ScenariosOf(Watch("a", 0, 1), [], all));
    }

    private static UserAction Watch(string show, int hour, int? seconds) =>
        new(ActionKind.Watch, Start.AddHours(hour)) { ShowId = show, Played = seconds is { } s ? TimeSpan.FromSeconds(s) : null };
}
