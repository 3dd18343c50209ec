using Confluent.Kafka;
using Google.Protobuf;
using Nearline.Cli.Local;
using Nearline.Cli.Publishing;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using Nearline.LocalServers.Processes;
using Nearline.Model;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Data.Simulation;
using Nearline.Model.Serving;
using StackExchange.Redis;

namespace Nearline.EndToEnd.Tests;

/// <summary>All parts as processes of their own, on a tiny world and a bundle with random weights.</summary>
internal sealed class Pipeline : IAsyncDisposable
{
    private const string WorkerGroup = "nearline-worker";

    private Pipeline(string directory, Dataset world, LocalStack stack, ConnectionMultiplexer redis)
    {
        WorkDirectory = directory;
        World = world;
        Stack = stack;
        RedisConnection = redis;
    }

    public string WorkDirectory { get; }

    public Dataset World { get; }

    public LocalStack Stack { get; }

    public ConnectionMultiplexer RedisConnection { get; }

    public string WorldDirectory => Path.Combine(WorkDirectory, "world");

    public string ModelsDirectory => Path.Combine(WorkDirectory, "models");

    /// <summary>The command line, as a user would start it.</summary>
    public static string NearlineProgram => Path.Combine(AppContext.BaseDirectory, "nearline.dll");

    public static async Task<Pipeline> StartAsync(IReadOnlyDictionary<string, string>? workerSettings = null)
    {
        var directory = Directory.CreateTempSubdirectory("nearline-e2e-").FullName;
        var world = WriteWorld(directory);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            // A killed member leaves the group only when its session ends.
            ["Kafka__SessionTimeout"] = "00:00:06",
        };
        foreach (var (name, value) in workerSettings ?? new Dictionary<string, string>())
        {
            settings[name] = value;
        }

        var stack = await LocalStack.StartAsync(
            new LocalStackOptions(Path.Combine(directory, "models")) { Device = "cpu", WorkerSettings = settings },
            CancellationToken.None);
        return new Pipeline(directory, world, stack, await ConnectionMultiplexer.ConnectAsync(stack.Redis.Address));
    }

    /// <summary>Writes a tiny world and an active bundle of random weights for it.</summary>
    public static Dataset WriteWorld(string directory)
    {
        var world = SimulatedWorld.Generate(SimulationOptions.Tiny);
        DatasetFiles.Write(world, Path.Combine(directory, "world"));
        var models = Path.Combine(directory, "models");
        var version = M5Bundle.WriteUntrained(world, M5Config.Small, models).Version;
        new BundleStore(models).Activate(version);
        return world;
    }

    /// <summary>Starts <c>nearline</c> with the arguments.</summary>
    public static ChildProcess Nearline(params string[] arguments) => ChildProcess.Start(new ChildProcessOptions
    {
        FileName = "dotnet",
        Arguments = [NearlineProgram, .. arguments],
        KeptLines = 5000,
    });

    /// <summary>Runs <c>nearline</c> to its end and returns what it printed.</summary>
    public static async Task<string> RunNearlineAsync(params string[] arguments)
    {
        await using var process = Nearline(arguments);
        var code = await process.WaitForExitAsync();
        var output = string.Join('\n', process.LastLines);
        Assert.True(code == 0, $"nearline {string.Join(' ', arguments)} ended with {code}:\n{output}");
        return output;
    }

    /// <summary>Waits until the worker has committed all that is in the event topic.</summary>
    public async Task CaughtUpAsync(int seconds = 120)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        using var lag = OpenLag();
        await lag.WaitUntilCaughtUpAsync(null, timeout.Token);
    }

    public GroupLag OpenLag() => new(Stack.Kafka.BootstrapServers, WorkerGroup, KafkaTopics.UserEvents);

    public Task<UserState?> StateOfAsync(string userId) => ReadAsync(RedisKeys.State(userId), UserState.Parser);

    public Task<RetrievalSet?> SetOfAsync(string userId, string scenario) =>
        ReadAsync(RedisKeys.Set(userId, scenario), RetrievalSet.Parser);

    /// <summary>Reads dead letters until as many as expected are there.</summary>
    public List<ConsumeResult<byte[], byte[]>> DeadLetters(int expected)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = Stack.Kafka.BootstrapServers,
            GroupId = "dead-letter-reader",
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnableAutoCommit = false,
        }).SetLogHandler((_, _) => { }).Build();
        consumer.Subscribe(KafkaTopics.UserEventsDlq);
        var letters = new List<ConsumeResult<byte[], byte[]>>();
        var deadline = TimeProvider.System.GetTimestamp();
        while (letters.Count < expected && TimeProvider.System.GetElapsedTime(deadline) < TimeSpan.FromSeconds(30))
        {
            if (consumer.Consume(TimeSpan.FromMilliseconds(200)) is { } letter)
            {
                letters.Add(letter);
            }
        }

        consumer.Close();
        return letters;
    }

    public async ValueTask DisposeAsync()
    {
        RedisConnection.Dispose();
        await Stack.DisposeAsync();
        Directory.Delete(WorkDirectory, recursive: true);
    }

    private async Task<T?> ReadAsync<T>(string key, MessageParser<T> parser)
        where T : class, IMessage<T>
    {
        var value = await RedisConnection.GetDatabase().StringGetAsync(key);
        return value.HasValue ? parser.ParseFrom((byte[])value!) : null;
    }
}
