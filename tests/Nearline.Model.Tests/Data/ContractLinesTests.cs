using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts.Catalog.V1;
using Nearline.Contracts.Events.V1;
using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Tests.Support;
using Show = Nearline.Contracts.Catalog.V1.Show;

namespace Nearline.Model.Tests.Data;

/// <summary>The lines of shows.jsonl and events.jsonl are the topics' messages, judged by Google's own parser.</summary>
public sealed class ContractLinesTests
{
    [Fact]
    public void Every_line_of_the_events_file_is_a_message_of_the_event_topic() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            using var directory = new TempDirectory();
            var dataset = RandomDataset.Create(seed);
            DatasetFiles.Write(dataset, directory.Path);
            var parsed = File.ReadLines(directory["events.jsonl"]).Select(JsonParser.Default.Parse<UserEvent>);
            Assert.Equal(dataset.EventsByTime().Select(Expected), parsed);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_line_of_the_shows_file_is_a_message_of_the_catalog_topic() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            using var directory = new TempDirectory();
            var dataset = RandomDataset.Create(seed);
            DatasetFiles.Write(dataset, directory.Path);
            var parsed = File.ReadLines(directory["shows.jsonl"]).Select(JsonParser.Default.Parse<Show>);
            Assert.Equal(dataset.Shows.Select(Expected), parsed);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Lines_that_protobuf_formats_are_read() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            using var directory = new TempDirectory();
            var dataset = RandomDataset.Create(seed);
            DatasetFiles.Write(dataset, directory.Path);
            File.WriteAllLines(directory["events.jsonl"], dataset.EventsByTime().Select(e => JsonFormatter.Default.Format(Expected(e))));
            File.WriteAllLines(directory["shows.jsonl"], dataset.Shows.Select(s => JsonFormatter.Default.Format(Expected(s))));
            Assert.Equal(RandomDataset.Describe(dataset), RandomDataset.Describe(DatasetFiles.Read(directory.Path)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void One_event_is_written_as_its_line()
    {
        var action = new UserAction(ActionKind.Watch, new DateTimeOffset(2026, 11, 22, 1, 30, 0, TimeSpan.Zero))
        {
            ShowId = "a",
            EpisodeId = "e1",
            Played = TimeSpan.FromSeconds(120),
            Length = TimeSpan.FromSeconds(1320.5),
            Device = "tv",
        };
        Assert.Equal(
            """{"userId":"u","eventTime":"2026-11-22T01:30:00Z","device":"tv","watch":{"showId":"a","episodeId":"e1","played":"120s","length":"1320.500s"}}""",
            System.Text.Encoding.UTF8.GetString(DatasetFiles.EventLine("u", action)));
    }

    private static Show Expected(Nearline.Model.Data.Show show)
    {
        var message = new Show
        {
            ShowId = show.Id,
            Title = show.Title,
            Category = (Nearline.Contracts.Catalog.V1.ShowCategory)(int)show.Category,
            Description = show.Description,
            ReleaseYear = show.ReleaseYear ?? 0,
            AvailableFrom = show.AvailableFrom?.ToTimestamp(),
            AvailableUntil = show.AvailableUntil?.ToTimestamp(),
        };
        message.Tags.Add(show.Tags);
        message.Cast.Add(show.Cast);
        message.Directors.Add(show.Directors);
        message.Brands.Add(show.Brands);
        return message;
    }

    private static UserEvent Expected(DatasetEvent e)
    {
        var (userId, a) = e;
        var message = new UserEvent
        {
            UserId = userId,
            EventTime = a.Time.ToTimestamp(),
            Scenario = a.Scenario ?? "",
            Device = a.Device ?? "",
        };
        switch (a.Kind)
        {
            case ActionKind.Login: message.Login = new Login(); break;
            case ActionKind.Watch:
                message.Watch = new Watch
                {
                    ShowId = a.ShowId,
                    EpisodeId = a.EpisodeId ?? "",
                    Played = a.Played?.ToDuration(),
                    Length = a.Length?.ToDuration(),
                };
                break;
            case ActionKind.Save: message.Save = new Save { ShowId = a.ShowId }; break;
            case ActionKind.Unsave: message.Unsave = new Unsave { ShowId = a.ShowId }; break;
            case ActionKind.Like: message.Like = new Like { ShowId = a.ShowId }; break;
            case ActionKind.Dislike: message.Dislike = new Dislike { ShowId = a.ShowId }; break;
            case ActionKind.Impression: message.Impression = new Impression { ShowId = a.ShowId, Clicked = a.Clicked }; break;
            case ActionKind.ProfileUpdate:
                message.ProfileUpdate = new ProfileUpdate();
                foreach (var (name, value) in a.Attributes ?? new Dictionary<string, string>())
                {
                    message.ProfileUpdate.Attributes.Add(name, value);
                }

                message.ProfileUpdate.Scenarios.Add(a.Scenarios ?? []);
                break;
            case ActionKind.DeleteUser: message.DeleteUser = new DeleteUser(); break;
            default: throw new InvalidOperationException(a.Kind.ToString());
        }

        return message;
    }
}
