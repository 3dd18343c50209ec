using System.CommandLine;
using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Nearline.Cli.Commands;
using Nearline.Cli.Console;
using Nearline.Cli.DeadLetters;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;
using Nearline.LocalServers.Kafka;

namespace Nearline.Cli.Tests.DeadLetters;

public sealed class DlqCommandTests : IDisposable
{
    private readonly MockKafkaCluster kafka = MockKafkaCluster.Start();

    public DlqCommandTests()
    {
        kafka.CreateTopic(KafkaTopics.UserEvents, 2);
        kafka.CreateTopic(KafkaTopics.UserEventsDlq, 2);
    }

    public void Dispose() => kafka.Dispose();

    [Fact]
    public async Task Letters_are_read_whole_and_go_back_as_they_were()
    {
        var watch = new UserEvent { UserId = "u1", Watch = new Watch { ShowId = "film-1" } };
        await SendAsync("u1", watch.ToByteArray(), "watch.show_id: too long", $"{KafkaTopics.UserEvents}/1/17", ("traceparent", "t"));
        await SendAsync("u2", "not an event"u8.ToArray(), "value: no event", $"{KafkaTopics.UserEvents}/0/3", (KafkaHeaders.CeId, "mine"));
        await SendAsync("u3", null, "value: too large", $"{KafkaTopics.UserEvents}/0/4");

        var letters = Read();
        Assert.Equal(["u1", "u2", "u3"], letters.Select(l => l.KeyText).Order());
        var first = letters.Single(l => l.KeyText == "u1");
        Assert.Equal(("watch.show_id", "2"), (first.Field, first.Attempts));
        Assert.Contains("film-1", first.ValueText(), StringComparison.Ordinal);
        Assert.StartsWith("12 bytes: 6e6f", letters.Single(l => l.KeyText == "u2").ValueText(), StringComparison.Ordinal);

        // One cannot go back, since its value is gone: said, and the others go.
        Assert.Equal(1, await Dlq("replay", "--all"));
        var back = Consume(KafkaTopics.UserEvents, 2);
        var sent = back.Single(r => Encoding.UTF8.GetString(r.Message.Key) == "u1").Message;
        Assert.Equal(watch, UserEvent.Parser.ParseFrom(sent.Value));
        Assert.Equal(["traceparent=t", $"ce_id={KafkaTopics.UserEvents}/1/17"], Headers(sent));
        Assert.Equal(["ce_id=mine"], Headers(back.Single(r => Encoding.UTF8.GetString(r.Message.Key) == "u2").Message));
    }

    [Fact]
    public async Task Replay_takes_what_was_chosen_and_a_dry_run_sends_nothing()
    {
        for (var i = 0; i < 4; i++)
        {
            await SendAsync($"u{i}", [1], i < 2 ? "event_time: missing" : "state: damaged", $"{KafkaTopics.UserEvents}/0/{i}");
        }

        Assert.Equal(0, await Dlq("replay", "--all", "--dry-run"));
        Assert.Equal(0, await Dlq("replay", "--all", "--error", "STATE"));
        Assert.Equal(0, await Dlq("replay", Read().Single(l => l.KeyText == "u0").Place));
        Assert.Equal(["u0", "u2", "u3"], Consume(KafkaTopics.UserEvents, 3).Select(r => Encoding.UTF8.GetString(r.Message.Key)).Order());
        Assert.Equal(0, await Dlq("list", "--limit", "1"));
        Assert.Equal(0, await Dlq("show", Read()[0].Place));
    }

    [Fact]
    public async Task What_cannot_be_done_is_said()
    {
        Assert.Contains("either places", (await Assert.ThrowsAsync<CliException>(() => Dlq("replay"))).Message, StringComparison.Ordinal);
        Assert.Contains("'7/7' is no dead letter", (await Assert.ThrowsAsync<CliException>(() => Dlq("show", "7/7"))).Message, StringComparison.Ordinal);
        Assert.Contains("--limit is -1", (await Assert.ThrowsAsync<CliException>(() => Dlq("list", "--limit", "-1"))).Message, StringComparison.Ordinal);
        await SendAsync("u", [1], "x: y", "nonsense");
        Assert.Equal(1, await Dlq("replay", "--all"));
        Assert.Equal(0, await Dlq("replay", "--all", "--to", KafkaTopics.UserEvents));
        Assert.Single(Consume(KafkaTopics.UserEvents, 1));
    }

    private static string[] Headers(Message<byte[], byte[]> message) =>
        [.. message.Headers.Select(h => $"{h.Key}={Encoding.UTF8.GetString(h.GetValueBytes())}")];

    private List<DeadRecord> Read() => [.. new DeadLetterTopic(kafka.BootstrapServers, KafkaTopics.UserEventsDlq).Read(CancellationToken.None)];

    private Task<int> Dlq(params string[] arguments) => DlqCommand.Create().Parse([.. arguments, "--bootstrap", kafka.BootstrapServers])
        .InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });

    private async Task SendAsync(string key, byte[]? value, string error, string origin, params (string Name, string Value)[] headers)
    {
        using var producer = new ProducerBuilder<string, byte[]?>(new ProducerConfig { BootstrapServers = kafka.BootstrapServers })
            .SetValueSerializer(Serializers.ByteArray).Build();
        var all = new Headers();
        foreach (var (name, text) in headers.Append((KafkaHeaders.Error, error)).Append((KafkaHeaders.Origin, origin)).Append((KafkaHeaders.Attempts, "2")))
        {
            all.Add(name, Encoding.UTF8.GetBytes(text));
        }

        await producer.ProduceAsync(KafkaTopics.UserEventsDlq, new Message<string, byte[]?> { Key = key, Value = value, Headers = all });
    }

    private List<ConsumeResult<byte[], byte[]>> Consume(string topic, int count)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = kafka.BootstrapServers, GroupId = "g" }).Build();
        consumer.Assign([new TopicPartitionOffset(topic, 0, Offset.Beginning), new TopicPartitionOffset(topic, 1, Offset.Beginning)]);
        var records = new List<ConsumeResult<byte[], byte[]>>();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (records.Count < count)
        {
            records.Add(consumer.Consume(patience.Token));
        }

        Assert.Null(consumer.Consume(TimeSpan.FromMilliseconds(100)));
        return records;
    }
}
