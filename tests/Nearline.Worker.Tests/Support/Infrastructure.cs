using Confluent.Kafka;
using Google.Protobuf;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;
using Nearline.LocalServers.Kafka;
using Nearline.LocalServers.Redis;
using Nearline.Worker.Events;
using Nearline.Worker.State;
using StackExchange.Redis;

namespace Nearline.Worker.Tests.Support;

/// <summary>A Kafka and a Redis of a test's own.</summary>
internal sealed class Infrastructure : IAsyncDisposable
{
    private readonly ConnectionMultiplexer connection;
    private readonly IProducer<string?, byte[]?> producer;

    private readonly RedisServer? ownRedis;

    private Infrastructure(MockKafkaCluster kafka, RedisServer? redis, string redisAddress, ConnectionMultiplexer connection)
    {
        Kafka = kafka;
        ownRedis = redis;
        RedisAddress = redisAddress;
        this.connection = connection;
        producer = new ProducerBuilder<string?, byte[]?>(new ProducerConfig { BootstrapServers = kafka.BootstrapServers, LingerMs = 1 })
            .SetLogHandler((_, _) => { })
            .Build();
    }

    public MockKafkaCluster Kafka { get; }

    /// <summary>Its own Redis server.</summary>
    public RedisServer Redis => ownRedis ?? throw new InvalidOperationException("it runs on a cluster");

    /// <summary>What to connect to.</summary>
    public string RedisAddress { get; }

    public IDatabase Database => connection.GetDatabase();

    /// <summary>With a Redis server of its own.</summary>
    public static async Task<Infrastructure> StartAsync(int partitions = 2, params string[] redisArguments)
    {
        var redis = await RedisServer.StartAsync(new RedisServerOptions { ExtraArguments = redisArguments });
        return new Infrastructure(StartKafka(partitions), redis, redis.Address, await ConnectAsync(redis.Address));
    }

    /// <summary>On a Redis Cluster, which stays the caller's.</summary>
    public static async Task<Infrastructure> StartAsync(RedisCluster cluster) =>
        new(StartKafka(2), null, cluster.Addresses, await ConnectAsync(cluster.Addresses));

    private static Task<ConnectionMultiplexer> ConnectAsync(string addresses) =>
        ConnectionMultiplexer.ConnectAsync($"{addresses},abortConnect=false,allowAdmin=true");

    private static MockKafkaCluster StartKafka(int partitions)
    {
        var kafka = MockKafkaCluster.Start();
        kafka.CreateTopic(KafkaTopics.UserEvents, partitions);
        kafka.CreateTopic(KafkaTopics.Refresh, 1);
        kafka.CreateTopic(KafkaTopics.UserEventsDlq, 1);
        return kafka;
    }

    public Task<TopicPartitionOffset> PublishAsync(UserEvent message, params (string Name, string Value)[] headers) =>
        PublishAsync(KafkaTopics.UserEvents, message.UserId, message.ToByteArray(), headers);

    public async Task<TopicPartitionOffset> PublishAsync(
        string topic, string? key, byte[]? value, params (string Name, string Value)[] headers)
    {
        var given = new Headers();
        foreach (var (name, text) in headers)
        {
            given.Add(name, System.Text.Encoding.UTF8.GetBytes(text));
        }

        var report = await producer.ProduceAsync(topic, new Message<string?, byte[]?> { Key = key, Value = value, Headers = given });
        return report.TopicPartitionOffset;
    }

    /// <summary>Asks for a rebuild of the user's sets.</summary>
    public Task<TopicPartitionOffset> RefreshAsync(string userId, Contracts.Refresh.V1.RefreshReason reason = Contracts.Refresh.V1.RefreshReason.Admin) => PublishAsync(
        KafkaTopics.Refresh, userId, new Contracts.Refresh.V1.RefreshRequest { UserId = userId, Reason = reason }.ToByteArray());

    /// <summary>Publishes the logs of several users, interleaved, each in its order.</summary>
    /// <returns>The last record of each partition.</returns>
    public async Task<IReadOnlyList<TopicPartitionOffset>> PublishAsync(Random random, IReadOnlyList<List<UserEventRecord>> logs)
    {
        var next = new int[logs.Count];
        var last = new Dictionary<TopicPartition, TopicPartitionOffset>();
        while (Enumerable.Range(0, logs.Count).Where(i => next[i] < logs[i].Count).ToList() is { Count: > 0 } left)
        {
            var user = left[random.Next(left.Count)];
            var at = await PublishAsync(Lives.ToMessage(logs[user][next[user]++]));
            last[at.TopicPartition] = at;
        }

        return [.. last.Values];
    }

    /// <summary>Waits until each user's stored past is that of the log, everything counted once.</summary>
    public Task CountedOnceAsync(IReadOnlyList<List<UserEventRecord>> logs) => Eventually.PassAsync(async () =>
    {
        foreach (var log in logs.Where(l => l.Count > 0))
        {
            var user = await UserAsync(log[0].UserId);
            Assert.NotNull(user);
            Assert.Equal(ReferenceFold.Describe(Lives.Distinct(log)), ReferenceFold.Describe(user.History));
        }
    });

    /// <summary>The offset that the group has committed on the record's partition; 0: none.</summary>
    public Task<long> CommittedAsync(TopicPartition partition) => OffPoolAsync(() =>
    {
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = Kafka.BootstrapServers,
            GroupId = "nearline-worker",
        }).SetLogHandler((_, _) => { }).Build();
        return Math.Max(0, consumer.Committed([partition], TimeSpan.FromSeconds(10))[0].Offset.Value);
    });

    /// <summary>Waits until the record is behind what the group has committed.</summary>
    public Task CommittedPastAsync(TopicPartitionOffset record) => Eventually.PassAsync(async () =>
        Assert.True(await CommittedAsync(record.TopicPartition) > record.Offset.Value, $"{record} is not committed"));

    /// <summary>The dead letters of a record key, once there are this many.</summary>
    public Task<List<Message<byte[]?, byte[]?>>> DeadLettersAsync(string key, int count) => OffPoolAsync(() =>
    {
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig
        {
            BootstrapServers = Kafka.BootstrapServers,
            GroupId = "reader-of-dead-letters",
        }).SetLogHandler((_, _) => { }).Build();
        consumer.Assign(new TopicPartitionOffset(KafkaTopics.UserEventsDlq, 0, Offset.Beginning));
        var letters = new List<Message<byte[]?, byte[]?>>();
        var deadline = Environment.TickCount64 + 30_000;
        while (letters.Count < count)
        {
            Assert.True(Environment.TickCount64 < deadline, $"{letters.Count} of {count} dead letters within 30 s");
            if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is { } result && result.Message.Key.AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(key)))
            {
                letters.Add(result.Message);
            }
        }

        return letters;
    });

    public async Task<StoredUser?> UserAsync(string userId)
    {
        byte[]? value = await Database.StringGetAsync(RedisKeys.State(userId));
        return value is null ? null : UserStateMapper.FromBytes(userId, value, 128);
    }

    public async Task<Contracts.Storage.V1.RetrievalSet?> SetAsync(string userId, string scenario)
    {
        byte[]? value = await Database.StringGetAsync(RedisKeys.Set(userId, scenario));
        return value is null ? null : Contracts.Storage.V1.RetrievalSet.Parser.ParseFrom(value);
    }

    /// <summary>The set of an experiment.</summary>
    public async Task<Contracts.Storage.V1.RetrievalSet?> SetAsync(string userId, string scenario, string variant)
    {
        byte[]? value = await Database.StringGetAsync(RedisKeys.Set(userId, scenario, variant));
        return value is null ? null : Contracts.Storage.V1.RetrievalSet.Parser.ParseFrom(value);
    }

    public async ValueTask DisposeAsync()
    {
        producer.Dispose();
        connection.Dispose();
        if (ownRedis is not null)
        {
            await ownRedis.DisposeAsync();
        }

        Kafka.Dispose();
    }

    /// <summary>Blocking client calls on a thread of their own, so that they do not starve the pool.</summary>
    private static Task<T> OffPoolAsync<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
