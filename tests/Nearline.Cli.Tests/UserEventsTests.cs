using System.Text;
using Google.Protobuf;
using Nearline.Cli.Publishing;
using Nearline.Contracts.Events.V1;
using Nearline.Model.Data;
using Nearline.Model.Data.Simulation;

namespace Nearline.Cli.Tests;

public sealed class UserEventsTests
{
    private static readonly Dataset World = SimulatedWorld.Generate(SimulationOptions.Tiny);

    [Fact]
    public void A_published_action_says_what_its_line_in_the_file_says()
    {
        foreach (var (log, index) in World.Users.SelectMany(u => u.Actions.Select((_, i) => (u, i))))
        {
            var line = Encoding.UTF8.GetString(DatasetFiles.EventLine(log.User.Id, log.Actions[index]));
            var fromFile = JsonParser.Default.Parse<UserEvent>(line);
            var published = UserEvents.Action(log.User.Id, index, log.Actions[index]);
            fromFile.EventId = published.EventId;
            Assert.Equal(fromFile, published);
        }
    }

    [Fact]
    public void Merging_keeps_every_event_sorts_by_time_and_keeps_each_users_own_order()
    {
        var merged = UserEvents.Merged(World.Users).ToList();

        Assert.Equal(World.Users.Sum(u => u.Actions.Count + 1), merged.Count);
        Assert.Equal(merged.Count, merged.Select(e => (e.UserId, e.EventId)).Distinct().Count());
        var times = merged.Select(e => e.EventTime.ToDateTimeOffset()).ToList();
        Assert.Equal(times.Order(), times);
        foreach (var user in World.Users)
        {
            Assert.Equal(
                UserEvents.Of(user).Select(e => e.EventId),
                merged.Where(e => e.UserId == user.User.Id).Select(e => e.EventId));
        }
    }

    [Fact]
    public void A_user_begins_with_the_profile_so_that_the_first_set_is_already_for_the_right_scenarios()
    {
        var user = World.Users.First(u => u.Actions.Count > 0);
        var first = UserEvents.Of(user).First();

        Assert.Equal(user.User.Attributes, first.ProfileUpdate.Attributes);
        Assert.Equal(user.User.Scenarios, first.ProfileUpdate.Scenarios);
        Assert.Equal(user.Actions[0].Time, first.EventTime.ToDateTimeOffset());
    }
}
