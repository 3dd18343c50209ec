using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Nearline.Cli.Publishing;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using Nearline.EndToEnd.Tests.Storm;
using Nearline.LocalServers.Kafka;
using Nearline.LocalServers.Redis;
using Nearline.Model.Behaviours;
using Nearline.Model.Serving;
using Nearline.Worker.Events;
using Nearline.Worker.State;
using Nearline.Worker.Tests.Support;
using StackExchange.Redis;
using Xunit.Abstractions;
using Reference = Nearline.Worker.Tests.Support.ReferenceFold;

namespace Nearline.EndToEnd.Tests;

/// <summary>
/// Two worker processes under load, killed 20 times at moments that a seed decides: <c>NEARLINE_STORM_SEED</c>, or the
/// usual one.
/// </summary>
public sealed class CrashStormTests(ITestOutputHelper output)
{
    private const int Kills = 20;
    private const int Users = 500;
    private const int EventsEach = 125;
    private const int Partitions = 6;
    private const int RecentEvents = 128;
    private const string Group = "nearline-worker";

    private readonly int seed = int.Parse(Environment.GetEnvironmentVariable("NEARLINE_STORM_SEED") ?? "6", CultureInfo.InvariantCulture);
    private readonly Stopwatch clock = Stopwatch.StartNew();

    [Fact]
    public async Task Twenty_kills_under_load_lose_nothing_and_count_nothing_twice()
    {
        var random = new Random(seed);
        var events = new StormEvents(random, Users, EventsEach);
        Say($"seed {seed}: {events.InOrder.Count} events of {Users} users, {events.Resent} sent twice, {events.OutOfOrder} out of order");
        using var kafka = MockKafkaCluster.Start();
        kafka.CreateTopic(KafkaTopics.UserEvents, Partitions);
        kafka.CreateTopic(KafkaTopics.Refresh, 1);
        kafka.CreateTopic(KafkaTopics.UserEventsDlq, 1);
        await using var redis = await RedisServer.StartAsync();
        using var connection = await ConnectionMultiplexer.ConnectAsync(redis.Address);
        using var lag = new GroupLag(kafka.BootstrapServers, Group, KafkaTopics.UserEvents);
        var settings = Settings(kafka, redis);
        await using var first = new StormWorker(settings);
        await using var second = new StormWorker(settings);
        first.Start();
        second.Start();

        await KillAsync(random, events, kafka, lag, [first, second]);
        await CaughtUpAsync(lag, first, second);
        Say("caught up");
        Compare(events, await StatesAsync(connection, events));

        // Sets that wait, since others were made a moment ago, are made soon.
        await Eventually.PassAsync(async () => await SetsAreOfTheFinalStatesAsync(connection, await StatesAsync(connection, events)));
        var states = await StatesAsync(connection, events);

        // The whole topic once more, by a group that has committed nothing.
        await using var replay = new StormWorker(new Dictionary<string, string?>(settings, StringComparer.Ordinal)
        {
            ["Kafka__GroupId"] = "replay",
            ["Worker__BatchMaxEvents"] = "2000",
            ["Worker__BatchMaxUsers"] = "1000",
        });
        using var replayLag = new GroupLag(kafka.BootstrapServers, "replay", KafkaTopics.UserEvents);
        await first.KillAsync();
        await second.KillAsync();
        replay.Start();
        await CaughtUpAsync(replayLag, replay);
        Assert.All(states.Zip(await StatesAsync(connection, events)), pair => Assert.Equal(pair.First, pair.Second));
        Say($"all {events.InOrder.Count} events delivered once more changed no byte of a state");
    }

    private static Dictionary<string, string?> Settings(MockKafkaCluster kafka, RedisServer redis) => new(StringComparer.Ordinal)
    {
        ["Kafka__BootstrapServers"] = kafka.BootstrapServers,
        ["Kafka__GroupId"] = Group,
        ["Kafka__SessionTimeout"] = "00:00:04",
        ["Kafka__FetchWait"] = "00:00:00.010",
        ["Kafka__CatalogTopic"] = "",
        ["Kafka__Client__heartbeat.interval.ms"] = "100",
        ["Redis__ConnectionString"] = redis.Address,
        ["Worker__ModelPollInterval"] = "00:00:00.100",
        ["Worker__RecentEventWindow"] = RecentEvents.ToString(CultureInfo.InvariantCulture),
        // Small batches: many writes and commits, so that kills fall between them.
        ["Worker__BatchMaxEvents"] = "160",
    };

    private async Task CaughtUpAsync(GroupLag lag, params StormWorker[] workers)
    {
        var left = 0L;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        try
        {
            await lag.WaitUntilCaughtUpAsync(behind => left = behind, timeout.Token);
        }
        catch (OperationCanceledException)
        {
            foreach (var worker in workers)
            {
                Say($"{left} events are left; the last lines of a worker:\n{string.Join('\n', worker.Process.LastLines)}");
            }

            throw;
        }
    }

    /// <summary>
    /// Publishes in portions, so that there is always work, and kills: one worker after some progress, the other one after
    /// some, then three times one of the two at any moment, be it starting, joining, or at work again.
    /// </summary>
    private async Task KillAsync(Random random, StormEvents events, MockKafkaCluster kafka, GroupLag lag, StormWorker[] workers)
    {
        using var producer = new ProducerBuilder<string, byte[]>(
            new ProducerConfig { BootstrapServers = kafka.BootstrapServers, EnableIdempotence = true, LingerMs = 5 }).SetLogHandler((_, _) => { }).Build();
        var portions = events.InOrder.Chunk((events.InOrder.Count + Kills) / (Kills + 1)).ToList();
        var (victim, hits) = (0, 0);
        for (var kill = 1; kill <= Kills; kill++)
        {
            await PublishAsync(producer, portions[kill - 1]);
            var atWork = kill % 5 is 1 or 2;
            victim = kill % 5 == 2 ? 1 - victim : random.Next(workers.Length);
            var worker = workers[victim];
            var more = atWork ? random.Next(1, 600) : 0;
            var delay = random.Next(0, atWork ? 40 : 1500);
            var before = await worker.EventsAsync();
            await Eventually.TrueAsync(
                async () => !atWork || await worker.EventsAsync() >= before + more || lag.Read() == 0, $"worker {victim} processes {more} events");
            await Task.Delay(delay);
            var (behind, reported) = (lag.Read(), await worker.KillAsync());
            Say($"kill {kill}: worker {victim}, {delay} ms after {more} more events; it had processed {reported} since its start, {behind} were waiting");
            hits += reported > 0 && behind > 0 ? 1 : 0;
            worker.Start();
        }

        Assert.True(hits >= Kills / 4, $"only {hits} kills met a worker that had processed events and had more to do");
        await PublishAsync(producer, portions[Kills]);
    }

    private static Task PublishAsync(IProducer<string, byte[]> producer, IEnumerable<UserEventRecord> events) =>
        Task.WhenAll(events.Select(e =>
        {
            var (value, headers) = StormEvents.ToRecord(e);
            var message = new Message<string, byte[]> { Key = e.UserId, Value = value, Headers = [] };
            foreach (var (name, text) in headers)
            {
                message.Headers.Add(name, Encoding.UTF8.GetBytes(text));
            }

            return producer.ProduceAsync(KafkaTopics.UserEvents, message);
        }));

    private static async Task<byte[][]> StatesAsync(ConnectionMultiplexer redis, StormEvents events)
    {
        var database = redis.GetDatabase();
        var values = await Task.WhenAll(events.Logs.Select(log => database.StringGetAsync(RedisKeys.State(log[0].UserId))));
        return [.. values.Select(v => (byte[]?)v ?? [])];
    }

    private void Compare(StormEvents events, byte[][] states)
    {
        var (lost, twice, different, counted) = (0L, 0L, 0, 0L);
        foreach (var (log, state) in events.Logs.Zip(states))
        {
            var user = state.Length == 0 ? StoredUser.New(log[0].UserId, RecentEvents) : UserStateMapper.FromBytes(log[0].UserId, state, RecentEvents);
            var once = Lives.Distinct(log);
            var history = new UserHistory();
            var should = once.LongCount(e => history.Apply(e.Action));
            var did = (long)user.History.NextOrder;
            counted += did;
            lost += Math.Max(0, should - did);
            twice += Math.Max(0, did - should);
            different += Reference.Describe(once) == Reference.Describe(user.History) ? 0 : 1;
        }

        Say($"{counted} events counted: {lost} lost, {twice} counted twice; {different} of {states.Length} states differ from the reference fold");
        Assert.Equal((0, 0, 0), (lost, twice, different));
    }

    /// <summary>Each user's sets are what the model makes of the final state, and there are no others.</summary>
    private async Task SetsAreOfTheFinalStatesAsync(ConnectionMultiplexer redis, byte[][] states)
    {
        var database = redis.GetDatabase();
        using var retriever = new StormRetriever();
        var (sets, gone) = (0, 0);
        foreach (var state in states)
        {
            var userId = UserState.Parser.ParseFrom(state).UserId;
            var user = UserStateMapper.FromBytes(userId, state, RecentEvents);
            var expected = user.IsDeleted ? [] : retriever.Retrieve([new RetrievalRequest(userId, user.History, default)], 300).Users[0];
            gone += user.IsDeleted ? 1 : 0;
            foreach (var scenario in retriever.Scenarios)
            {
                var stored = (byte[]?)await database.StringGetAsync(RedisKeys.Set(userId, scenario));
                var set = stored is null ? null : RetrievalSet.Parser.ParseFrom(stored);
                var candidates = expected.FirstOrDefault(c => c.Scenario == scenario);
                Assert.Equal(candidates?.Shows.Select(s => (s.ShowId, s.Score)), set?.ShowIds.Zip(set.Scores));
                sets += set is null ? 0 : 1;
            }
        }

        Say($"{sets} sets are what the model makes of the final states; {gone} users are deleted and have none");
        Assert.True(sets > states.Length, "most users have sets");
    }

    private void Say(string what) => output.WriteLine($"{clock.Elapsed.TotalSeconds:F1} s: {what}");
}
