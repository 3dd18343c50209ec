using Confluent.Kafka;
using Nearline.LocalServers.Kafka;
using Nearline.LocalServers.Processes;

namespace Nearline.LocalServers.Tests;

/// <summary>kcat, a client of its own in another process, against the mock cluster.</summary>
public sealed class KcatTests
{
    private static async Task<IReadOnlyList<string>> KcatAsync(params string[] arguments)
    {
        await using var kcat = ChildProcess.Start(new ChildProcessOptions { FileName = "kcat", Arguments = arguments });
        var code = await kcat.WaitForExitAsync().WaitAsync(Wait.Long);
        Assert.True(code == 0, string.Join('\n', kcat.LastLines));
        return kcat.LastLines;
    }

    [Fact]
    public async Task Kcat_writes_what_the_dotnet_client_reads_and_the_other_way_round()
    {
        using var cluster = MockKafkaCluster.Start();
        cluster.CreateTopic("from-kcat", 1);
        cluster.CreateTopic("from-dotnet", 1);

        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllLinesAsync(file, ["u1|watch", "u2|like"]);
            await KcatAsync(
                "-b", cluster.BootstrapServers, "-t", "from-kcat", "-P", "-K", "|", "-H", "ce_type=event", "-l", file);
        }
        finally
        {
            File.Delete(file);
        }

        using var consumer = KafkaClients.Consumer(cluster, "g").Build();
        consumer.Assign(new TopicPartitionOffset("from-kcat", 0, Offset.Beginning));
        var read = await KafkaClients.TakeAsync(consumer, 2);
        Assert.Equal(["u1=watch", "u2=like"], read.Select(r => r.Message.Key + "=" + r.Message.Value));
        Assert.All(read, r => Assert.Equal("event"u8.ToArray(), r.Message.Headers.GetLastBytes("ce_type")));

        await KafkaClients.ProduceAsync(cluster, "from-dotnet", ["a", "b", "c"]);
        var lines = await KcatAsync(
            "-b", cluster.BootstrapServers, "-t", "from-dotnet", "-C", "-e", "-q", "-o", "beginning", "-f", "%o:%k=%s\\n");
        Assert.Equal(["0:a=a", "1:b=b", "2:c=c"], lines);
    }
}
