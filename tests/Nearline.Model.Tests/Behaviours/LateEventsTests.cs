using Nearline.Model.Behaviours;

namespace Nearline.Model.Tests.Behaviours;

public sealed class LateEventsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_deletion_that_arrives_late_leaves_what_is_newer_than_it()
    {
        var history = new UserHistory();
        foreach (var action in new UserAction[]
        {
            Watch("before", -20, 40),
            Watch("both", -10, 30) with { EpisodeId = "one" },
            new(ActionKind.Like, Noon.AddMinutes(-5)) { ShowId = "before" },
            new(ActionKind.Save, Noon.AddMinutes(-4)) { ShowId = "both" },
            Profile(-3, "gender", "f"),
            Watch("both", 10, 20) with { EpisodeId = "two" },
            Watch("after", 11, 50) with { Length = TimeSpan.FromMinutes(60) },
            new(ActionKind.Unsave, Noon.AddMinutes(12)) { ShowId = "both" },
            Profile(13, "age", "30"),
        })
        {
            history.Apply(action);
        }

        Assert.True(history.Apply(new UserAction(ActionKind.DeleteUser, Noon)));
        Assert.Equal(["after", "both"], history.WatchedShows().Order());
        Assert.Empty(history.Sequence(BehaviourKind.Like));
        Assert.True(history.Find(BehaviourKind.Save, "both")!.Retracted);
        Assert.Equal(["age"], history.Attributes.Keys);
        Assert.Equal(Noon.AddMinutes(13), history.LastEventTime);
        Assert.Equal((50 * 60, 60 * 60), (history.Find(BehaviourKind.Watch, "after")!.PlayedSeconds, history.Find(BehaviourKind.Watch, "after")!.LengthSeconds));

        // Sums cannot be taken apart: nothing from before the deletion stays in them.
        var both = history.Find(BehaviourKind.Watch, "both")!;
        Assert.Equal((1, 0, Noon.AddMinutes(10), Noon.AddMinutes(10)), (both.Episodes, both.PlayedSeconds, both.FirstTime, both.LastTime));
        Assert.Empty(both.EpisodeHashes);

        Assert.False(history.Apply(Watch("before", -1, 10)));
        Assert.False(history.Apply(new UserAction(ActionKind.DeleteUser, Noon)));
        Assert.True(history.Apply(Watch("before", 1, 10)));
    }

    [Fact]
    public void A_deletion_on_time_leaves_nothing()
    {
        var history = new UserHistory();
        history.Apply(Watch("a", -1, 5) with { Device = "tv" });
        history.Apply(Profile(-1, "age", "30") with { Scenarios = ["home"] });
        history.Apply(new UserAction(ActionKind.DeleteUser, Noon));
        Assert.Empty(history.Behaviours);
        Assert.Empty(history.Attributes);
        Assert.Empty(history.Scenarios);
        Assert.Null(history.LastEventTime);
        Assert.Null(history.LastDevice);
    }

    [Fact]
    public void The_last_device_is_that_of_the_latest_event_which_names_one_whenever_it_arrives()
    {
        var history = new UserHistory();
        history.Apply(Watch("a", 1, 5));
        history.Apply(Watch("b", 0, 5) with { Device = "tv" });
        Assert.Equal("tv", history.LastDevice);
        history.Apply(new UserAction(ActionKind.Login, Noon.AddMinutes(-1)) { Device = "phone" });
        Assert.Equal("tv", history.LastDevice);
        Assert.Equal("tv", history.Clone().LastDevice);
        var restored = UserHistory.Restore([], [], [], [], 1, Noon, "tv", null);
        restored.Apply(new UserAction(ActionKind.Login, Noon.AddMinutes(-1)) { Device = "phone" });
        Assert.Equal("tv", restored.LastDevice);
    }

    private static UserAction Watch(string show, int minute, int played) =>
        new(ActionKind.Watch, Noon.AddMinutes(minute)) { ShowId = show, Played = TimeSpan.FromMinutes(played) };

    private static UserAction Profile(int minute, string name, string value) =>
        new(ActionKind.ProfileUpdate, Noon.AddMinutes(minute)) { Attributes = new Dictionary<string, string> { [name] = value } };
}
