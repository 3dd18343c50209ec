using System.Text;
using Nearline.Contracts;
using Nearline.Worker.Models;
using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

public sealed class ModelTests
{
    [Fact]
    public async Task Without_a_model_the_worker_lives_but_is_not_ready_and_events_wait()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        var source = new FakeRetrieverSource();
        await using var worker = await RunningWorker.StartAsync(infrastructure, source);
        var record = await infrastructure.PublishAsync(Records.Watch("u1", "film-1", DateTimeOffset.UtcNow, "e1"));

        Assert.Equal(200, (await worker.GetAsync("/healthz/live")).Status);
        var (status, body) = await worker.GetAsync("/healthz/ready");
        Assert.Equal(503, status);
        Assert.Contains("no model is loaded yet", body, StringComparison.Ordinal);
        Assert.Equal(0, worker.Meters.Sum(MetricNames.ConsumedMessages));

        source.Activate(new FakeRetriever("m1"));
        await infrastructure.CommittedPastAsync(record);
        Assert.Equal("e1", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId);
    }

    [Fact]
    public async Task New_model_takes_over_between_batches_and_a_broken_one_does_not()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        var old = new FakeRetriever("m1");
        var source = new FakeRetrieverSource().Activate(old);
        await using var worker = await RunningWorker.StartAsync(infrastructure, source);
        await worker.ReadyAsync();
        using var enough = new CancellationTokenSource();
        var publishing = Task.Run(async () =>
        {
            for (var i = 0; !enough.IsCancellationRequested; i++)
            {
                await infrastructure.PublishAsync(Records.Watch($"u{i % 3}", "film-1", DateTimeOffset.UtcNow, $"e{i}"));
            }

            return await infrastructure.PublishAsync(Records.Watch("u1", "film-2", DateTimeOffset.UtcNow, "last"));
        });
        await Eventually.PassAsync(async () => Assert.Equal("m1", (await infrastructure.SetAsync("u2", "home"))?.ModelVersion));

        source.Activate(new FakeRetriever("m2", "home", "sports"));

        await Eventually.PassAsync(async () => Assert.Equal("m2", (await infrastructure.SetAsync("u2", "sports"))?.ModelVersion));
        Assert.True(old.IsDisposed);
        Assert.Null(await infrastructure.SetAsync("u2", "kids"));
        await Eventually.PassAsync(async () => Assert.Equal(["home", "sports"], Contracts.Storage.V1.ScenarioDirectory.Parser.ParseFrom(
            (byte[])(await infrastructure.Database.StringGetAsync(RedisKeys.Scenarios))!).Scenarios));

        source.ActivateBroken("m3");
        await Eventually.TrueAsync(() => worker.Meters.Sum(MetricNames.ModelLoads, ("outcome", "refused")) == 1, "m3 is refused");
        await enough.CancelAsync();
        await infrastructure.CommittedPastAsync(await publishing);

        Assert.Equal("m2", (await infrastructure.SetAsync("u1", "home"))?.ModelVersion);
        Assert.Equal(1, worker.Meters.Gauge(MetricNames.ModelInfo, ("version", "m2")));
        Assert.Equal(0, worker.Meters.Sum(MetricNames.DeadLetters));
        await worker.ReadyAsync();
    }

    [Fact]
    public async Task User_for_whom_the_model_fails_is_dead_lettered_and_the_others_are_served()
    {
        await using var infrastructure = await Infrastructure.StartAsync(1);
        var model = new FakeRetriever("m1")
        {
            OnRetrieve = requests =>
            {
                if (requests.Any(r => r.UserId == "poison"))
                {
                    throw new InvalidOperationException("index out of range");
                }
            },
        };
        await using var worker = await RunningWorker.StartAsync(infrastructure, new FakeRetrieverSource().Activate(model));
        foreach (var user in new[] { "u1", "poison", "u2" })
        {
            await infrastructure.PublishAsync(Records.Watch(user, "film-1", DateTimeOffset.UtcNow, "e1"));
        }

        var letter = Assert.Single(await infrastructure.DeadLettersAsync("poison", 1));

        Assert.Contains("index out of range", Encoding.UTF8.GetString(letter.Headers.GetLastBytes(KafkaHeaders.Error)), StringComparison.Ordinal);
        Assert.Equal("2", Encoding.UTF8.GetString(letter.Headers.GetLastBytes(KafkaHeaders.Attempts)));
        await Eventually.PassAsync(async () =>
        {
            Assert.NotNull(await infrastructure.SetAsync("u1", "home"));
            Assert.NotNull(await infrastructure.SetAsync("u2", "home"));
        });
        Assert.Null(await infrastructure.UserAsync("poison"));
    }

    [Fact]
    public async Task Model_that_fails_for_everybody_stalls_the_worker_and_costs_no_event()
    {
        await using var infrastructure = await Infrastructure.StartAsync();
        var isBroken = false;
        var model = new FakeRetriever("m1")
        {
            OnRetrieve = _ =>
            {
                if (Volatile.Read(ref isBroken))
                {
                    throw new InvalidOperationException("out of memory");
                }
            },
        };
        await using var worker = await RunningWorker.StartAsync(infrastructure, new FakeRetrieverSource().Activate(model));
        await worker.ReadyAsync();
        Volatile.Write(ref isBroken, true);
        var record = await infrastructure.PublishAsync(Records.Watch("u1", "film-1", DateTimeOffset.UtcNow, "e1"));

        await Eventually.PassAsync(async () => Assert.Contains(
            "model m1 fails for every user", (await worker.GetAsync("/healthz/ready")).Body, StringComparison.Ordinal));
        Assert.Equal(0, await infrastructure.CommittedAsync(record.TopicPartition));

        Volatile.Write(ref isBroken, false);
        await infrastructure.CommittedPastAsync(record);
        Assert.Equal("e1", (await infrastructure.SetAsync("u1", "home"))?.TriggerEventId);
        Assert.Equal(0, worker.Meters.Sum(MetricNames.DeadLetters));
    }

    [Fact]
    public void Folder_without_a_pointer_has_no_model_and_a_damaged_bundle_is_refused_by_name()
    {
        var folder = Directory.CreateTempSubdirectory("nearline-models-");
        try
        {
            var source = new BundleRetrieverSource(
                Microsoft.Extensions.Options.Options.Create(new Worker.Options.WorkerOptions { ModelsDirectory = folder.FullName, Device = "cpu" }),
                Microsoft.Extensions.Options.Options.Create(new Worker.Options.IndexOptions()));
            Assert.Null(source.ActiveVersion());

            folder.CreateSubdirectory("v1");
            File.WriteAllText(Path.Combine(folder.FullName, "active"), "v1\n");
            Assert.Equal("v1", source.ActiveVersion());
            Assert.StartsWith("model v1: ", Assert.Throws<ModelRefusedException>(() => source.Load("v1")).Message, StringComparison.Ordinal);

            File.WriteAllText(Path.Combine(folder.FullName, "active"), "../../etc\n");
            Assert.Throws<ModelRefusedException>(source.ActiveVersion);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
