using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Catalog.V1;
using Nearline.Contracts.Events.V1;

namespace Nearline.EndToEnd.Tests;

public sealed class CatalogTests
{
    [Fact]
    public async Task A_show_that_no_model_has_seen_is_servable_within_seconds_and_gone_after_its_tombstone()
    {
        await using var pipeline = await Pipeline.StartAsync();
        var liked = pipeline.World.Shows.First(s => s.Tags.Count > 0 && s.Cast.Count > 0);
        using var producer = new ProducerBuilder<string, byte[]?>(new ProducerConfig { BootstrapServers = pipeline.Stack.Kafka.BootstrapServers, LingerMs = 1 })
            .SetLogHandler((_, _) => { })
            .Build();

        // The user is known, and the worker serves; from here on it is about the catalog alone.
        var scenario = pipeline.World.Scenarios.First(s => s.Admits(liked)).Id;
        await WatchAsync("first");
        await Eventually.TrueAsync(async () => (await pipeline.SetOfAsync("fan", scenario))?.TriggerEventId == "first", "the user has a set");

        var show = new Show
        {
            ShowId = "unseen",
            Title = "Not in any model",
            Category = liked.Category switch
            {
                Nearline.Model.Behaviours.ShowCategory.Series => ShowCategory.Series,
                Nearline.Model.Behaviours.ShowCategory.Movie => ShowCategory.Movie,
                _ => ShowCategory.Live,
            },
            Tags = { liked.Tags },
            Cast = { liked.Cast },
        };
        var published = Stopwatch.GetTimestamp();
        await producer.ProduceAsync(KafkaTopics.Catalog, new Message<string, byte[]?> { Key = "unseen", Value = show.ToByteArray() });
        await RenewedUntilAsync("after upsert", output => output.Contains("unseen", StringComparison.Ordinal));
        Assert.True(Stopwatch.GetElapsedTime(published) < TimeSpan.FromSeconds(30), $"servable only after {Stopwatch.GetElapsedTime(published)}");

        await producer.ProduceAsync(KafkaTopics.Catalog, new Message<string, byte[]?> { Key = "unseen", Value = null });
        await RenewedUntilAsync("after tombstone", output => !output.Contains("unseen", StringComparison.Ordinal));

        async Task RenewedUntilAsync(string name, Func<string, bool> holds)
        {
            for (var i = 0; ; i++)
            {
                var id = $"{name} {i}";
                await WatchAsync(id);
                await Eventually.TrueAsync(async () => (await pipeline.SetOfAsync("fan", scenario))?.TriggerEventId == id, $"the set follows event '{id}'");
                var output = await Pipeline.RunNearlineAsync(
                    "get", "fan", "--api", pipeline.Stack.GrpcAddress, "--scenario", scenario, "--limit", "1000");
                if (holds(output))
                {
                    return;
                }

                Assert.True(i < 20, $"{name}: not after {i} renewals: {output}");
            }
        }

        Task WatchAsync(string id) => producer.ProduceAsync(KafkaTopics.UserEvents, new Message<string, byte[]?>
        {
            Key = "fan",
            Headers = [new Header(KafkaHeaders.ContentType, Encoding.UTF8.GetBytes("application/protobuf"))],
            Value = new UserEvent
            {
                UserId = "fan",
                EventId = id,
                EventTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow),
                Watch = new Watch { ShowId = liked.Id, Played = Duration.FromTimeSpan(TimeSpan.FromMinutes(30)) },
            }.ToByteArray(),
        });
    }
}
