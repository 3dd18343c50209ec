using System.Globalization;
using Nearline.Model.Behaviours;
using Nearline.Model.Data;

namespace Nearline.Model.Tests.Behaviours;

public sealed class UserHistoryProfileTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Newest_update_of_each_attribute_and_of_the_scenarios_wins_in_every_order_of_arrival()
    {
        UserAction[] updates =
        [
            Update(1, ["home"], ("gender", "F"), ("age", "25")),
            Update(2, ["home", "kids"], ("gender", "M"), ("city", "Kyoto")),
            Update(3, null, ("gender", ""), ("city", "Nara")),
        ];
        foreach (var order in (int[][])[[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
        {
            var history = new UserHistory();
            foreach (var i in order)
            {
                // Restored in between, as the worker does between batches.
                history = history.Clone();
                history.Apply(updates[i]);
            }

            Assert.Equal(["age=25", "city=Nara"], history.Attributes.Select(a => $"{a.Key}={a.Value}").Order());
            Assert.Equal(["home", "kids"], history.Scenarios);
        }
    }

    [Fact]
    public void Update_of_any_time_replaces_what_was_known_from_the_start()
    {
        var history = UserHistories.Start(new UserProfile("u")
        {
            Attributes = new Dictionary<string, string> { ["gender"] = "F" },
            Scenarios = ["home"],
        });

        history.Apply(Update(-1000, ["kids"], ("gender", "M")));

        Assert.Equal("M", history.Attributes["gender"]);
        Assert.Equal(["kids"], history.Scenarios);
    }

    [Fact]
    public void Attributes_are_bounded_and_the_longest_unchanged_leave()
    {
        var history = new UserHistory();
        for (var i = 0; i < UserHistory.MaxAttributes + 10; i++)
        {
            history.Apply(Update(i, null, (i.ToString(CultureInfo.InvariantCulture), i % 2 == 0 ? "" : "v")));
        }

        Assert.Equal(UserHistory.MaxAttributes, history.AttributeTimes.Count);
        Assert.DoesNotContain("9", history.Attributes.Keys);
        Assert.Contains("11", history.Attributes.Keys);
    }

    private static UserAction Update(int minutes, string[]? scenarios, params (string Name, string Value)[] attributes) =>
        new(ActionKind.ProfileUpdate, Start.AddMinutes(minutes))
        {
            Attributes = attributes.ToDictionary(a => a.Name, a => a.Value),
            Scenarios = scenarios,
        };
}
