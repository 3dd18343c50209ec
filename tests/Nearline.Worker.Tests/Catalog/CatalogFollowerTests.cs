using System.Text;
using Google.Protobuf;
using Nearline.Contracts;
using Nearline.Contracts.Catalog.V1;
using Nearline.Contracts.Storage.V1;
using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Catalog;

public sealed class CatalogFollowerTests
{
    [Fact]
    public async Task Changes_reach_the_model_and_the_models_after_it()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        infrastructure.Kafka.CreateTopic(KafkaTopics.Catalog, 3);
        await UpsertAsync(infrastructure, "before", "Before the worker");
        var (first, second) = (new FakeRetriever("v1"), new FakeRetriever("v2"));
        var source = new FakeRetrieverSource().Activate(first);
        await using var worker = await RunningWorker.StartAsync(infrastructure, source);
        await Eventually.TrueAsync(() => first.Catalog.ContainsKey("before"), "the model has what was in the topic");

        await UpsertAsync(infrastructure, "new", "First title");
        await UpsertAsync(infrastructure, "new", "Second title");
        await infrastructure.PublishAsync(KafkaTopics.Catalog, "film-3", null);
        await Eventually.TrueAsync(
            () => first.Catalog.TryGetValue("new", out var change) && change.Show?.Title == "Second title" &&
                first.Catalog.TryGetValue("film-3", out var gone) && gone.Show is null,
            "the model has what came later");
        await Eventually.TrueAsync(
            () => worker.Meters.Gauge(MetricNames.CatalogShows, (MetricNames.Kind, "added")) == 2 &&
                worker.Meters.Gauge(MetricNames.CatalogShows, (MetricNames.Kind, "removed")) == 1,
            "the gauges say so");

        await Eventually.PassAsync(async () =>
        {
            byte[]? list = await infrastructure.Database.StringGetAsync(RedisKeys.Popular);
            Assert.NotNull(list);
            var shows = RetrievalSet.Parser.ParseFrom(list).ShowIds;
            Assert.Contains("film-2", shows);
            Assert.DoesNotContain("film-3", shows);
        });

        source.Activate(second);
        await Eventually.TrueAsync(() => second.Catalog.Count == 3, "the next model begins with the catalog as it stands");
        Assert.Equal("Second title", second.Catalog["new"].Show!.Title);
        Assert.Equal(3, worker.Meters.Sum(MetricNames.CatalogRecords, (MetricNames.Outcome, "upserted")));
        Assert.Equal(1, worker.Meters.Sum(MetricNames.CatalogRecords, (MetricNames.Outcome, "removed")));
    }

    [Fact]
    public async Task A_record_that_cannot_be_used_harms_nothing()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        infrastructure.Kafka.CreateTopic(KafkaTopics.Catalog, 1);
        var model = new FakeRetriever("v1");
        await using var worker = await RunningWorker.StartAsync(infrastructure, new FakeRetrieverSource().Activate(model));
        await UpsertAsync(infrastructure, "good", "As it was");
        await infrastructure.PublishAsync(KafkaTopics.Catalog, "good", Encoding.UTF8.GetBytes("{"), (KafkaHeaders.ContentType, "application/json"));
        await infrastructure.PublishAsync(KafkaTopics.Catalog, null, [1, 2, 3]);
        await infrastructure.PublishAsync(KafkaTopics.Catalog, "good", new Show { ShowId = "another", Category = ShowCategory.Live }.ToByteArray());
        await UpsertAsync(infrastructure, "last", "After the bad ones");
        await Eventually.TrueAsync(() => model.Catalog.ContainsKey("last"), "the records after the bad ones are read");
        Assert.Equal("As it was", model.Catalog["good"].Show!.Title);
        Assert.Equal(2, model.Catalog.Count);
        Assert.Equal(3, worker.Meters.Sum(MetricNames.CatalogRecords, (MetricNames.Outcome, "rejected")));

        await infrastructure.PublishAsync(Records.Watch("u1", "film-1", DateTimeOffset.UtcNow));
        await Eventually.PassAsync(async () => Assert.NotNull(await infrastructure.SetAsync("u1", "home")));
    }

    [Fact]
    public async Task Events_do_not_wait_for_a_catalog_that_is_still_empty()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        var model = new FakeRetriever("v1");
        await using var worker = await RunningWorker.StartAsync(infrastructure, new FakeRetrieverSource().Activate(model));
        await infrastructure.PublishAsync(Records.Watch("u1", "film-1", DateTimeOffset.UtcNow));
        await Eventually.PassAsync(async () => Assert.NotNull(await infrastructure.SetAsync("u1", "home")));
        await UpsertAsync(infrastructure, "new", "Late");
        await Eventually.TrueAsync(() => model.Catalog.ContainsKey("new"), "the first record is read");
    }

    private static Task UpsertAsync(Infrastructure infrastructure, string showId, string title) => infrastructure.PublishAsync(
        KafkaTopics.Catalog, showId, new Show { ShowId = showId, Title = title, Category = ShowCategory.Movie }.ToByteArray());
}
