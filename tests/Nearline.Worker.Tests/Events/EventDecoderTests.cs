using System.Globalization;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;
using Nearline.Model.Behaviours;
using Nearline.Worker.Events;
using Nearline.Worker.Kafka;
using Nearline.Worker.Tests.Support;
using static Nearline.Worker.Tests.Support.Records;

namespace Nearline.Worker.Tests.Events;

public sealed class EventDecoderTests
{
    private static readonly EventDecoder Decoder = new(new FixedClock(Now), TimeSpan.FromMinutes(5));
    private static readonly string Long = new('x', 257);

    /// <summary>Name, record, the field that must be named, and what else the error must say.</summary>
    private static readonly (string Name, ConsumedRecord Record, string Field, string Says)[] Bad =
    [
        ("missing user", Proto(Event("", e => e.Login = new Login())), "user_id", "missing"),
        ("user with brace", Proto(Event("a}b", e => e.Login = new Login()), key: null), "user_id", "'a}b'"),
        ("user too long", Proto(Event(Long, e => e.Login = new Login()), key: null), "user_id", "257 bytes"),
        ("user too long in UTF-8", Proto(Event(new string('ä', 129), e => e.Login = new Login()), key: null), "user_id", "258 bytes"),
        ("key of another user", Proto(Event("u2", e => e.Login = new Login())), "user_id", "record key 'u1'"),
        ("no action", Proto(new UserEvent { UserId = "u1" }), "action", "none or unknown"),
        ("action of a later version", Record(new UserEvent { UserId = "u1" }.ToByteArray().Concat(UnknownAction()).ToArray()), "action", "none or unknown"),
        ("empty value", Record([]), "user_id", "missing"),
        ("no value", Record(null), "value", "UserEvent is needed"),
        ("truncated", Record(Proto(Watch("u1", "a-show")).Value![..^3]), "value", "not a UserEvent in protobuf"),
        ("not protobuf", Record(Encoding.UTF8.GetBytes("watched something")), "value", "not a UserEvent in protobuf"),
        ("watch without show", Proto(Watch("u1", "")), "watch.show_id", "empty"),
        ("watch with a long show", Proto(Watch("u1", Long)), "watch.show_id", "257 bytes"),
        ("watch with a long episode", Proto(Watch("u1", "s", episode: Long)), "watch.episode_id", "257 bytes"),
        ("negative play", Proto(Watch("u1", "s", minutes: -2)), "watch.played", "-120 s"),
        ("negative by nanos", Proto(Event("u1", e => e.Watch = new Watch { ShowId = "s", Played = new Duration { Nanos = -1 } })), "watch.played", "zero or more"),
        ("mixed signs", Proto(Event("u1", e => e.Watch = new Watch { ShowId = "s", Played = new Duration { Seconds = 1, Nanos = -1 } })), "watch.played", "not a valid duration"),
        ("negative length", Proto(Event("u1", e => e.Watch = new Watch { ShowId = "s", Length = new Duration { Seconds = -5 } })), "watch.length", "-5 s"),
        ("save without show", Proto(Event("u1", e => e.Save = new Save())), "save.show_id", "empty"),
        ("unsave without show", Proto(Event("u1", e => e.Unsave = new Unsave())), "unsave.show_id", "empty"),
        ("like without show", Proto(Event("u1", e => e.Like = new Like())), "like.show_id", "empty"),
        ("dislike without show", Proto(Event("u1", e => e.Dislike = new Dislike())), "dislike.show_id", "empty"),
        ("impression without show", Proto(Event("u1", e => e.Impression = new Impression())), "impression.show_id", "empty"),
        ("future", Proto(Event("u1", e => e.Login = new Login(), Now.AddMinutes(6))), "event_time", "2026-11-22T12:06:00"),
        ("impossible time", Proto(new UserEvent { UserId = "u1", EventTime = new Timestamp { Seconds = long.MaxValue }, Login = new Login() }), "event_time", "not a time"),
        ("bad ce_time", Proto(new UserEvent { UserId = "u1", Login = new Login() }, "u1", ("ce_time", "yesterday")), "ce_time", "'yesterday'"),
        ("future ce_time", Proto(new UserEvent { UserId = "u1", Login = new Login() }, "u1", ("ce_time", "2027-01-01T00:00:00Z")), "ce_time", "2027-01-01"),
        ("long event id", Proto(Event("u1", e => e.Login = new Login(), id: Long)), "event_id", "257 bytes"),
        ("long ce_id", Proto(Event("u1", e => e.Login = new Login()), "u1", ("ce_id", Long)), "ce_id", "257 bytes"),
        ("long source", Proto(Event("u1", e => { e.Login = new Login(); e.Source = Long; })), "source", "257 bytes"),
        ("long device", Proto(Event("u1", e => { e.Login = new Login(); e.Device = Long; })), "device", "257 bytes"),
        ("long scenario", Proto(Event("u1", e => { e.Login = new Login(); e.Scenario = Long; })), "scenario", "257 bytes"),
        ("too many attributes", Proto(Event("u1", TooManyAttributes)), "profile_update.attributes", "65 attributes"),
        ("long attribute", Proto(Event("u1", e => e.ProfileUpdate = new ProfileUpdate { Attributes = { ["a"] = Long } })), "profile_update.attributes", "257 bytes"),
        ("nameless attribute", Proto(Event("u1", e => e.ProfileUpdate = new ProfileUpdate { Attributes = { [""] = "v" } })), "profile_update.attributes", "empty name"),
        ("nameless scenario", Proto(Event("u1", e => e.ProfileUpdate = new ProfileUpdate { Scenarios = { "" } })), "profile_update.scenarios", "empty name"),
        ("json: broken", Json("{\"userId\":\"u1\""), "value", "not a UserEvent in JSON"),
        ("json: not UTF-8", Record([0x22, 0xC3, 0x28, 0x22], headers: [("content-type", "application/json")]), "value", "not a UserEvent in JSON"),
        ("json: unknown action", Json("{\"userId\":\"u1\",\"rewatch\":{\"showId\":\"s\"}}"), "value", "rewatch"),
        ("json: unknown field", Json("{\"userId\":\"u1\",\"watch\":{\"show\":\"s\"}}"), "value", "show"),
        ("json: two actions", Json("{\"userId\":\"u1\",\"login\":{},\"like\":{\"showId\":\"s\"}}"), "value", "not a UserEvent in JSON"),
        ("json: unknown field as long as a record", Json("{\"userId\":\"u1\",\"" + new string('x', 500_000) + "\":1}"), "value", "not a UserEvent in JSON"),
        ("json: half a character", Json("{\"userId\":\"u1\",\"watch\":{\"showId\":\"\\ud800\"}}"), "value", "not a UserEvent in JSON"),
        ("json: nothing", Json("null"), "value", "not a UserEvent in JSON"),
        ("json: nested too deep", Json(string.Concat(Enumerable.Repeat("{\"watch\":", 5_000))), "value", "not a UserEvent in JSON"),
        ("json: wrong type", Json("{\"userId\":\"u1\",\"watch\":{\"showId\":[1]}}"), "value", "not a UserEvent in JSON"),
        ("json: bad time", Json("{\"userId\":\"u1\",\"eventTime\":\"soon\",\"login\":{}}"), "value", "not a UserEvent in JSON"),
        ("json: bad duration", Json("{\"userId\":\"u1\",\"watch\":{\"showId\":\"s\",\"played\":\"long\"}}"), "value", "not a UserEvent in JSON"),
        ("json: empty object", Json("{}"), "user_id", "missing"),
        ("json: no show", Json("{\"userId\":\"u1\",\"watch\":{\"played\":\"60s\"}}"), "watch.show_id", "empty"),
        ("json in a protobuf record", Record(Json("{\"userId\":\"u1\",\"login\":{}}").Value), "value", "not a UserEvent in protobuf"),
    ];

    public static TheoryData<string> BadNames => [.. Bad.Select(b => b.Name)];

    [Theory]
    [MemberData(nameof(BadNames))]
    public void Bad_record_is_refused_by_field_value_and_rule(string name)
    {
        var (_, record, field, says) = Bad.Single(b => b.Name == name);

        var error = Assert.Throws<RejectedRecordException>(() => Decoder.Decode(record));

        Assert.Equal(field, error.Field);
        Assert.StartsWith(field + ": ", error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < 600, error.Message);
    }

    [Fact]
    public void Both_encodings_of_every_action_decode_to_the_same()
    {
        UserEvent[] events =
        [
            Event("u1", e => e.Login = new Login()),
            Event("u1", e => e.Watch = new Watch { ShowId = "s", EpisodeId = "e", Played = new Duration { Seconds = 61, Nanos = 500_000_000 }, Length = new Duration { Seconds = 100 } }),
            Event("u1", e => e.Watch = new Watch { ShowId = "film" }),
            Event("u1", e => e.Save = new Save { ShowId = "s" }),
            Event("u1", e => e.Unsave = new Unsave { ShowId = "s" }),
            Event("u1", e => e.Like = new Like { ShowId = "s" }),
            Event("u1", e => e.Dislike = new Dislike { ShowId = "s" }),
            Event("u1", e => e.Impression = new Impression { ShowId = "s", Clicked = true }),
            Event("u1", e => e.ProfileUpdate = new ProfileUpdate { Attributes = { ["gender"] = "F", ["gone"] = "" }, Scenarios = { "home", "kids" } }),
            Event("u1", e => e.DeleteUser = new DeleteUser()),
        ];
        foreach (var message in events)
        {
            message.Device = "tv";
            message.Scenario = "home";
            message.EventId = "id-1";
            message.Source = "player";
            var fromProto = Decoder.Decode(Proto(message));
            var fromJson = Decoder.Decode(Json(JsonFormatter.Default.Format(message)));

            Assert.Equal(Describe(fromProto), Describe(fromJson));
            Assert.Equal(message.ActionCase.ToString(), fromProto.Action.Kind.ToString());
            Assert.Equal("id-1", fromProto.EventId);
            Assert.Equal(StableHash.Of("player", "id-1"), fromProto.Identity);
            Assert.Equal("tv", fromProto.Action.Device);
        }
    }

    [Fact]
    public void Watch_keeps_show_episode_and_durations()
    {
        var action = Decoder.Decode(Json(
            "{\"userId\":\"u1\",\"eventTime\":\"2026-11-22T11:30:00.25Z\",\"watch\":{\"showId\":\"s\",\"episodeId\":\"e2\",\"played\":\"90.5s\",\"length\":\"0s\"}}")).Action;

        Assert.Equal(ActionKind.Watch, action.Kind);
        Assert.Equal(("s", "e2"), (action.ShowId, action.EpisodeId));
        Assert.Equal(TimeSpan.FromSeconds(90.5), action.Played);
        Assert.Null(action.Length);
        Assert.Equal(new DateTimeOffset(2026, 11, 22, 11, 30, 0, 250, TimeSpan.Zero), action.Time);
    }

    [Fact]
    public void CloudEvents_headers_stand_in_for_missing_fields_only()
    {
        (string, string)[] headers = [("ce_id", "ce-9"), ("ce_source", "gateway"), ("ce_type", "watch"), ("ce_time", "2026-11-22T10:00:00+02:00")];
        var bare = Decoder.Decode(Proto(new UserEvent { UserId = "u1", Login = new Login() }, "u1", headers));
        var full = Decoder.Decode(Proto(Event("u1", e => e.Login = new Login(), Now.AddHours(-5), "own"), "u1", headers));

        Assert.Equal("ce-9", bare.EventId);
        Assert.Equal(StableHash.Of("gateway", "ce-9"), bare.Identity);
        Assert.Equal(new DateTimeOffset(2026, 11, 22, 8, 0, 0, TimeSpan.Zero), bare.Action.Time);
        Assert.Equal("own", full.EventId);
        Assert.Equal(StableHash.Of("test", "own"), full.Identity);
        Assert.Equal(Now.AddHours(-5), full.Action.Time);
    }

    [Fact]
    public void Without_id_and_time_the_record_itself_tells_them()
    {
        var decoded = Decoder.Decode(Record(new UserEvent { UserId = "u1", Login = new Login() }.ToByteArray(), key: null, offset: 42));

        Assert.Null(decoded.Identity);
        Assert.Equal("nearline.user-events.v1/3/42", decoded.EventId);
        Assert.Equal(Now.AddSeconds(-1), decoded.Action.Time);
    }

    [Fact]
    public void Clock_skew_within_the_limit_is_accepted() =>
        Assert.Equal(Now.AddMinutes(5), Decoder.Decode(Proto(Event("u1", e => e.Login = new Login(), Now.AddMinutes(5)))).Action.Time);

    [Fact]
    public void Longest_allowed_ids_are_accepted()
    {
        var id = new string('x', 256);
        var decoded = Decoder.Decode(Proto(Watch(id, id, id: id, episode: id), key: id));

        Assert.Equal((id, id), (decoded.UserId, decoded.Action.ShowId));
    }

    [Fact]
    public void Trace_of_the_producer_is_read_and_a_broken_one_is_ignored()
    {
        const string Parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        var traced = Decoder.Decode(Proto(Watch("u1", "s"), "u1", ("traceparent", Parent)));
        var broken = Decoder.Decode(Proto(Watch("u1", "s"), "u1", ("traceparent", "00-zz")));

        Assert.Equal("0af7651916cd43dd8448eb211c80319c", traced.Trace.TraceId.ToHexString());
        Assert.Equal(default, broken.Trace);
    }

    private static void TooManyAttributes(UserEvent message)
    {
        message.ProfileUpdate = new ProfileUpdate();
        for (var i = 0; i < 65; i++)
        {
            message.ProfileUpdate.Attributes.Add($"a{i}", "v");
        }
    }

    /// <summary>A length-delimited, empty field of number 99.</summary>
    private static byte[] UnknownAction() => [0x9A, 0x06, 0x00];

    private static string Describe(UserEventRecord record)
    {
        var a = record.Action;
        return string.Create(CultureInfo.InvariantCulture, $"""
            {record.UserId} {record.EventId} {record.Identity} {a.Kind} {a.Time:O} {a.ShowId} {a.EpisodeId} {a.Played} {a.Length}
            {a.Scenario} {a.Device} {a.Clicked} {string.Join(',', a.Attributes ?? new Dictionary<string, string>())} {string.Join(',', a.Scenarios ?? [])}
            """);
    }
}
