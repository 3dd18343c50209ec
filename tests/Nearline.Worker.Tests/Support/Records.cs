using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;
using Nearline.Worker.Kafka;
using Headers = Confluent.Kafka.Headers;

namespace Nearline.Worker.Tests.Support;

/// <summary>Makes records and events.</summary>
internal static class Records
{
    public static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    public static ConsumedRecord Record(
        byte[]? value, string? key = "u1", IEnumerable<(string Name, string Value)>? headers = null, long offset = 7, DateTimeOffset? timestamp = null)
    {
        var given = new Headers();
        foreach (var (name, text) in headers ?? [])
        {
            given.Add(name, Encoding.UTF8.GetBytes(text));
        }

        return new ConsumedRecord(
            KafkaTopics.UserEvents, 3, offset, key is null ? null : Encoding.UTF8.GetBytes(key), value, given, timestamp ?? Now.AddSeconds(-1), Now);
    }

    public static ConsumedRecord Json(string json, string? key = "u1", params (string Name, string Value)[] headers) =>
        Record(Encoding.UTF8.GetBytes(json), key, [("content-type", "application/json; charset=utf-8"), .. headers]);

    public static ConsumedRecord Proto(UserEvent message, string? key = "u1", params (string Name, string Value)[] headers) =>
        Record(message.ToByteArray(), key, headers);

    public static UserEvent Event(string userId, Action<UserEvent> action, DateTimeOffset? time = null, string? id = null)
    {
        var message = new UserEvent
        {
            UserId = userId,
            EventTime = Timestamp.FromDateTimeOffset(time ?? Now.AddMinutes(-1)),
            EventId = id ?? "",
            Source = id is null ? "" : "test",
        };
        action(message);
        return message;
    }

    public static UserEvent Watch(string userId, string showId, DateTimeOffset? time = null, string? id = null, double minutes = 30, string episode = "") =>
        Event(
            userId,
            e => e.Watch = new Watch { ShowId = showId, EpisodeId = episode, Played = Duration.FromTimeSpan(TimeSpan.FromMinutes(minutes)) },
            time,
            id);
}
