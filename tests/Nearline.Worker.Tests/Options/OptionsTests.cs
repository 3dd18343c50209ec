using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Nearline.Model.Behaviours;
using Nearline.Worker.Options;

namespace Nearline.Worker.Tests.Options;

public sealed class OptionsTests
{
    [Theory]
    [InlineData("--Worker:BatchMaxEvents=0", "Worker:BatchMaxEvents is 0; it must be from 1 to 100000")]
    [InlineData("--Worker:Debounce=00:11:00", "Worker:Debounce is 00:11:00; it must be from 00:00:00 to 00:10:00")]
    [InlineData("--Worker:BackfillRate=0", "Worker:BackfillRate is 0; it must be from 0.1 to 1000000")]
    [InlineData("--Worker:BackfillOnCatalog=00:00:01", "Worker:BackfillOnCatalog is 00:00:01; it must be from 00:01:00")]
    [InlineData("--Worker:SetSize=5000", "Worker:SetSize is 5000; it must be from 1 to 1000")]
    [InlineData("--Worker:Device=tpu", "Worker:Device is 'tpu'; it must be one of auto, cpu, cuda")]
    [InlineData("--Worker:StateTtl=00:00:00", "Worker:StateTtl is 00:00:00; it must be from 00:00:01 to 3650.00:00:00")]
    [InlineData("--Worker:RefreshOn:0=delete_user", "Worker:RefreshOn is 'delete_user'; it must be one of login, ")]
    [InlineData("--Worker:GrpcPort=70000", "Worker:GrpcPort is 70000; it must be from -1 to 65535")]
    [InlineData("--Worker:GrpcBindAddress=here", "Worker:GrpcBindAddress is 'here'; it must be an IP address such as 127.0.0.1")]
    [InlineData("--Index:Backend=gpu", "Index:Backend is 'gpu'; it must be one of auto, exact-cpu, exact-torch, hnsw")]
    [InlineData("--Index:ExactBudget=02:00:00", "Index:ExactBudget is 02:00:00; it must be from 00:00:00 to 00:01:00")]
    [InlineData("--Index:MeasureFor=-00:00:01", "Index:MeasureFor is -00:00:01; it must be from 00:00:00 to 00:00:10")]
    [InlineData("--Kafka:BootstrapServers=", "Kafka:BootstrapServers is ''; a list like host:port,host:port is needed")]
    [InlineData("--Kafka:MaxPollInterval=00:00:01", "Kafka:MaxPollInterval is 00:00:01; it must be from 00:00:10 to 01:00:00")]
    [InlineData("--Kafka:Client:enable.auto.commit=true", "Kafka:Client:enable.auto.commit is 'true'; leave it out: ")]
    [InlineData("--Redis:ConnectTimeout=01:00:00", "Redis:ConnectTimeout is 01:00:00")]
    public async Task Bad_value_stops_the_start_by_key_value_and_range(string argument, string expected)
    {
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(argument));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--Worker:SetSise=10", "SetSise")]
    [InlineData("--Index:Bakend=auto", "Bakend")]
    public async Task Misspelt_key_stops_the_start(string argument, string key)
    {
        var error = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(argument));

        Assert.Contains(key, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_actions_but_impression_and_deletion_renew_sets_unless_listed()
    {
        var usual = new WorkerOptions().RefreshingKinds();
        var listed = new WorkerOptions { RefreshOn = ["watch", "impression"] }.RefreshingKinds();

        Assert.Equal(Enum.GetValues<ActionKind>().Except([ActionKind.Impression, ActionKind.DeleteUser]).Order(), usual.Order());
        Assert.Equal([ActionKind.Watch, ActionKind.Impression], listed.Order());
    }

    [Fact]
    public void Client_settings_reach_librdkafka_and_override()
    {
        var options = new KafkaOptions { BootstrapServers = "127.0.0.1:1", Client = { ["heartbeat.interval.ms"] = "100", ["sasl.username"] = "me" } };

        Assert.Equal(100, options.ToConsumerConfig().HeartbeatIntervalMs);
        Assert.Equal("me", options.ToProducerConfig().SaslUsername);
    }

    private static async Task StartAsync(string argument)
    {
        await using var app = WorkerHost.Build(
            ["--Kafka:BootstrapServers=127.0.0.1:1", "--urls=http://127.0.0.1:0", "--Worker:GrpcPort=0", argument], builder => builder.Logging.ClearProviders());
        await app.StartAsync();
    }
}
