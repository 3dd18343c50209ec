using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;

namespace Nearline.EndToEnd.Tests;

public sealed class PoisonTests
{
    [Fact]
    public async Task Bad_records_are_dead_lettered_or_counted_by_field_and_the_good_ones_around_them_are_served()
    {
        await using var pipeline = await Pipeline.StartAsync();
        var shows = pipeline.World.Shows.Select(s => s.Id).Take(4).ToList();
        using var producer = new ProducerBuilder<byte[], byte[]>(
            new ProducerConfig { BootstrapServers = pipeline.Stack.Kafka.BootstrapServers }).Build();
        var partition = new TopicPartition(KafkaTopics.UserEvents, 0);

        async Task SendAsync(string key, byte[] value, bool json = false)
        {
            var message = new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(key), Value = value, Headers = [] };
            if (json)
            {
                message.Headers.Add(KafkaHeaders.ContentType, "application/json"u8.ToArray());
            }

            await producer.ProduceAsync(partition, message);
        }

        UserEvent Watch(string user, string id, string show) => new()
        {
            UserId = user,
            EventId = id,
            EventTime = DateTimeOffset.UtcNow.ToTimestamp(),
            Watch = new Watch { ShowId = show, Played = Duration.FromTimeSpan(TimeSpan.FromMinutes(30)) },
        };

        // All in one partition, each bad one between good ones.
        await SendAsync("ann", Watch("ann", "a1", shows[0]).ToByteArray());
        await SendAsync("bad", Watch("bad", "b1", shows[0]).ToByteArray()[..^3]);
        await SendAsync("ann", Watch("ann", "a2", shows[1]).ToByteArray());
        await SendAsync("bad", """{"userId":"bad","eventTime":"2026-01-01T00:00:00Z","devour":{"showId":"x"}}"""u8.ToArray(), json: true);
        await SendAsync("ann", Watch("ann", "a3", shows[2]).ToByteArray());
        await SendAsync("", Watch("", "b3", shows[0]).ToByteArray());
        await SendAsync("ann", Watch("ann", "a4", "no-such-show").ToByteArray());
        await SendAsync("ann", Watch("ann", "a5", shows[3]).ToByteArray());
        await pipeline.CaughtUpAsync();

        var state = await pipeline.StateOfAsync("ann");
        Assert.Equal([.. shows, "no-such-show"], state!.Behaviours.Select(b => b.ShowId).ToHashSet());
        var set = await pipeline.SetOfAsync("ann", pipeline.World.Scenarios[0].Id);
        Assert.Equal("a5", set!.TriggerEventId);
        Assert.Empty(set.ShowIds.Intersect(shows));

        var letters = pipeline.DeadLetters(expected: 3);
        string ErrorOf(ConsumeResult<byte[], byte[]> letter) =>
            Encoding.UTF8.GetString(letter.Message.Headers.GetLastBytes(KafkaHeaders.Error));
        var errors = letters.OrderBy(l => Encoding.UTF8.GetString(l.Message.Headers.GetLastBytes(KafkaHeaders.Origin)), StringComparer.Ordinal)
            .Select(ErrorOf).ToList();
        Assert.Equal(3, errors.Count);
        Assert.Contains(errors, e => e.Contains("value", StringComparison.OrdinalIgnoreCase));
        Assert.Contains(errors, e => e.Contains("devour", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.Contains("user_id", StringComparison.Ordinal));

        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(new Uri(pipeline.Stack.WorkerAddress + "/metrics"));
        Assert.Contains(
            metrics.Split('\n'),
            line => line.StartsWith("nearline_worker_unknown_shows", StringComparison.Ordinal) &&
                line.EndsWith(" 1", StringComparison.Ordinal) || line.Contains("nearline_worker_unknown_shows_total") && line.Contains(" 1 "));
    }
}
