using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Cli.Demo;
using Nearline.Contracts;
using Nearline.Contracts.Catalog.V1;
using Nearline.Contracts.Events.V1;
using Xunit.Abstractions;

namespace Nearline.EndToEnd.Tests;

public sealed class CatalogTests(ITestOutputHelper output)
{
    private const int All = 1000;

    /// <summary>What the service promises between the publishing of a show and the first set with it that the api returns.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_show_that_no_model_has_seen_is_servable_within_five_seconds_and_gone_after_its_tombstone()
    {
        await using var pipeline = await Pipeline.StartAsync();
        var liked = pipeline.World.Shows.First(s => s.Tags.Count > 0 && s.Cast.Count > 0);
        using var producer = new ProducerBuilder<string, byte[]?>(new ProducerConfig { BootstrapServers = pipeline.Stack.Kafka.BootstrapServers, LingerMs = 1 })
            .SetLogHandler((_, _) => { })
            .Build();

        // The user is known, and the worker serves; from here on it is about the catalog alone.
        var scenario = pipeline.World.Scenarios.First(s => Nearline.Model.Data.ScenarioPools.Admits(s, liked)).Id;
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
        using var api = new CandidateReader(pipeline.Stack.GrpcAddress);
        await api.GetAsync("fan", scenario, All, CancellationToken.None);

        // The clock starts before the upsert is on its way, and stops when the api has answered with the show.
        var published = Stopwatch.GetTimestamp();
        await producer.ProduceAsync(KafkaTopics.Catalog, new Message<string, byte[]?> { Key = "unseen", Value = show.ToByteArray() });
        var renewals = 0;
        while (!await IsServedAfterRenewalAsync($"upsert {renewals}"))
        {
            renewals++;
            Assert.True(Stopwatch.GetElapsedTime(published) < Bound, $"not servable within {Bound} of its publishing, after {renewals} renewals");
        }

        var servable = Stopwatch.GetElapsedTime(published);
        Assert.True(servable < Bound, $"servable only {servable} after its publishing");
        output.WriteLine($"servable {servable.TotalMilliseconds:F0} ms after its publishing, {renewals + 1} renewals");

        await producer.ProduceAsync(KafkaTopics.Catalog, new Message<string, byte[]?> { Key = "unseen", Value = null });
        renewals = 0;
        await Eventually.TrueAsync(async () => !await IsServedAfterRenewalAsync($"tombstone {renewals++}"), "the show leaves the sets after its tombstone");

        // Whoever asks by the command line sees the same.
        var printed = await Pipeline.RunNearlineAsync("get", "fan", "--api", pipeline.Stack.GrpcAddress, "--scenario", scenario, "--limit", "1000");
        Assert.DoesNotContain("unseen", printed, StringComparison.Ordinal);

        async Task<bool> IsServedAfterRenewalAsync(string id)
        {
            await WatchAsync(id);
            var response = await api.GetAfterAsync("fan", scenario, All, id, TimeSpan.FromSeconds(60), CancellationToken.None);
            return response.Candidates.Any(c => c.ItemId == "unseen");
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
