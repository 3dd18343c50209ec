using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Nearline.Contracts;
using Nearline.LocalServers;
using Nearline.LocalServers.Kafka;
using Nearline.LocalServers.Processes;
using Nearline.LocalServers.Redis;
using Nearline.Model;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data.Simulation;
using Nearline.Model.Features;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using Nearline.Model.Training;
using Nearline.Worker.State;
using StackExchange.Redis;
using static TorchSharp.torch;

namespace Nearline.Bench.Worker;

/// <summary>The worker, its surroundings, and the same model once more in this process, for what it does bare.</summary>
internal sealed class WorkerSide : IAsyncDisposable
{
    private const int Limit = 300;
    private const int Ahead = 6000;
    private const string Metrics = "nearline_worker_";

    private static readonly string[] Stages =
        ["arrive", "gather", "load", "wait_for_model", "tower", "index", "retrieve", "wait_for_write", "write", "debounce"];

    private readonly TemporaryFolder models = new();
    private readonly HttpClient http = new();
    private readonly WorkerCase what;
    private readonly (string Id, UserHistory History)[] users;
    private readonly M5Retriever retriever;
    private readonly MockKafkaCluster kafka = MockKafkaCluster.Start();
    private readonly string address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Next()}");
    private readonly DateTimeOffset now;
    private RedisServer redis = null!;
    private ConnectionMultiplexer connection = null!;
    private ChildProcess worker = null!;
    private Traffic traffic = null!;

    private WorkerSide(WorkerCase what)
    {
        this.what = what;
        var start = new DateTimeOffset(DateTime.UtcNow.Date, TimeSpan.Zero).AddDays(-31);
        var world = SimulatedWorld.Generate(new SimulationOptions { Shows = what.Shows, Users = what.Users, Start = start });
        var bundle = Write(world);
        new BundleStore(models.Path).Activate(bundle.Version);
        retriever = M5Retriever.Load(bundle, "cpu", null, new BackendOptions { Backend = IndexBackends.ExactCpu }, what.Precision);
        now = start.AddDays(31);

        // No scenarios of their own: sets are made for all of them.
        users = [.. world.Users.Select(log => (log.User.Id, Fold(log)))];
        Shows = [.. world.Shows.Select(s => s.Id)];
    }

    private IReadOnlyList<string> Shows { get; }

    public static async Task<WorkerSide> StartAsync(WorkerCase what, CancellationToken cancellationToken)
    {
        var side = new WorkerSide(what);
        try
        {
            await side.StartAsync(cancellationToken).ConfigureAwait(false);
            return side;
        }
        catch
        {
            await side.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public object Describe() => new
    {
        Users = users.Length,
        what.Shows,
        Scenarios = retriever.Scenarios.Count,
        Behaviours = users.Average(u => u.History.Behaviours.Count()),
        Threads = get_num_threads(),
        Index = retriever.Index.ToString(),
    };

    /// <summary>Tower and index alone, with the worker's threads, in batches as it has them under load.</summary>
    public object Bare(double seconds)
    {
        var random = new Random(1);
        RetrievalRequest[] Draw() => [.. random.GetItems(users, what.Batch).Select(u => new RetrievalRequest(u.Id, u.History, now))];
        var (tower, index, count) = (TimeSpan.Zero, TimeSpan.Zero, 0);
        retriever.Retrieve(Draw(), Limit);
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            var batch = retriever.Retrieve(Draw(), Limit);
            (tower, index, count) = (tower + batch.TowerTime, index + batch.IndexTime, count + what.Batch);
        }

        return new
        {
            Users = count,
            Seconds = (tower + index).TotalSeconds,
            TowerMs = tower.TotalMilliseconds / count,
            IndexMs = index.TotalMilliseconds / count,
        };
    }

    /// <summary>Keeps some thousand events ahead of the worker; counts those whose sets became servable.</summary>
    public async Task<object> FloodAsync(double seconds, CancellationToken cancellationToken)
    {
        using var stop = new CancellationTokenSource();
        var feeding = FeedAsync(stop.Token);
        var begin = Done(await ScrapeAsync(cancellationToken).ConfigureAwait(false));
        while (Done(await ScrapeAsync(cancellationToken).ConfigureAwait(false)) < begin + (Ahead / 2))
        {
            await Task.Delay(100, cancellationToken).ConfigureAwait(false);
        }

        var (before, usage, start) = (await ScrapeAsync(cancellationToken).ConfigureAwait(false), Cpu(), Stopwatch.GetTimestamp());
        await Task.Delay(TimeSpan.FromSeconds(seconds), cancellationToken).ConfigureAwait(false);
        var (after, spent, elapsed) = (await ScrapeAsync(cancellationToken).ConfigureAwait(false), Cpu(), Stopwatch.GetElapsedTime(start).TotalSeconds);
        await stop.CancelAsync().ConfigureAwait(false);
        await feeding.ConfigureAwait(false);
        await DrainAsync(cancellationToken).ConfigureAwait(false);
        traffic.TakeLatencies();
        return new
        {
            Events = Done(after) - Done(before),
            Seconds = elapsed,
            UsersOfBatch = Mean(before, after, Metrics + "batch_users"),
            Stages = StagesOf(before, after),
            Cpu = Difference(usage, spent, elapsed),
        };
    }

    /// <summary>Events at random times, at that rate on average, whatever the worker does.</summary>
    public async Task<object> RateAsync(double rate, double seconds, CancellationToken cancellationToken)
    {
        traffic.TakeLatencies();
        var (before, usage, start) = (await ScrapeAsync(cancellationToken).ConfigureAwait(false), Cpu(), Stopwatch.GetTimestamp());
        await Task.Factory.StartNew(
            () =>
            {
                var random = new Random(2);
                for (var due = 0.0; due < seconds; due -= Math.Log(1 - random.NextDouble()) / rate)
                {
                    if (due - Stopwatch.GetElapsedTime(start).TotalSeconds is var early and > 0)
                    {
                        Thread.Sleep(TimeSpan.FromSeconds(early));
                    }

                    traffic.Publish(isPadded: true);
                }
            },
            cancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).ConfigureAwait(false);
        var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await DrainAsync(cancellationToken).ConfigureAwait(false);
        var (after, spent, latencies) = (await ScrapeAsync(cancellationToken).ConfigureAwait(false), Cpu(), traffic.TakeLatencies());
        double At(double share) => latencies[(int)Math.Clamp(Math.Ceiling(share * latencies.Length) - 1, 0, latencies.Length - 1)];
        return new
        {
            Events = latencies.Length,
            Seconds = elapsed,
            P50 = At(0.5),
            P90 = At(0.9),
            P99 = At(0.99),
            Max = latencies[^1],
            Mean = latencies.Average(),
            UsersOfBatch = Mean(before, after, Metrics + "batch_users"),
            Stages = StagesOf(before, after),
            Cpu = Difference(usage, spent, elapsed),
        };
    }

    /// <summary>Means over users of what lies in Redis: the values, and with keys and all that Redis adds.</summary>
    public async Task<object> StoredAsync()
    {
        const int Sample = 500;
        var database = connection.GetDatabase();
        async Task<(double Value, double Memory)> MeanAsync(Func<string, string> key)
        {
            var (value, memory, found) = (0.0, 0.0, 0);
            foreach (var (id, _) in users)
            {
                var length = await database.StringLengthAsync(key(id)).ConfigureAwait(false);
                if (length > 0)
                {
                    value += length;
                    memory += (double)await database.ExecuteAsync("MEMORY", "USAGE", (RedisKey)key(id)).ConfigureAwait(false);
                    if (++found == Sample)
                    {
                        break;
                    }
                }
            }

            return (value / Math.Max(1, found), memory / Math.Max(1, found));
        }

        var (state, watched, set) = (await MeanAsync(RedisKeys.State).ConfigureAwait(false), await MeanAsync(RedisKeys.Watched).ConfigureAwait(false),
            await MeanAsync(id => RedisKeys.Set(id, retriever.Scenarios[0])).ConfigureAwait(false));
        return new
        {
            StateBytes = state.Value,
            StateMemory = state.Memory,
            WatchedBytes = watched.Value,
            WatchedMemory = watched.Memory,
            SetBytes = set.Value,
            SetMemory = set.Memory,
            Shows = Limit,
        };
    }

    /// <summary>What the worker's process holds now.</summary>
    public async Task<object> UsageAsync(CancellationToken cancellationToken)
    {
        var metrics = await ScrapeAsync(cancellationToken).ConfigureAwait(false);
        var resident = (await File.ReadAllLinesAsync($"/proc/{worker.Id}/status", cancellationToken).ConfigureAwait(false))
            .First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return new
        {
            RssMiB = double.Parse(resident.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024,
            HeapMiB = metrics.Sum("dotnet_gc_last_collection_heap_size_bytes") / 1024 / 1024,
            NativeTensors = metrics.Sum(Metrics + "native_tensors"),
            Waiting = traffic.Published - Done(metrics),
        };
    }

    public async ValueTask DisposeAsync()
    {
        traffic?.Dispose();
        connection?.Dispose();
        if (worker is not null)
        {
            await worker.StopAsync(TimeSpan.FromSeconds(15)).ConfigureAwait(false);
            await worker.DisposeAsync().ConfigureAwait(false);
        }

        if (redis is not null)
        {
            await redis.DisposeAsync().ConfigureAwait(false);
        }

        kafka.Dispose();
        retriever.Dispose();
        http.Dispose();
        models.Dispose();
    }

    private static UserHistory Fold(Nearline.Model.Data.UserLog log)
    {
        var history = UserHistories.Start(log.User with { Scenarios = [] });
        foreach (var action in log.Actions)
        {
            history.Apply(action);
        }

        return history;
    }

    /// <summary>
    /// A model of random weights but for the shows' embeddings, which lie in clusters as trained ones do: how long an
    /// exact search takes depends on that.
    /// </summary>
    private BundleDirectory Write(Nearline.Model.Data.Dataset world)
    {
        TorchThreads.Use(null);
        using var model = TrainedModel.Fresh(world, M5Config.ByName(what.Config), null, 1, world.Fingerprint(), CPU);
        using var gradient = no_grad();
        using var scope = NewDisposeScope();
        var (shows, width) = (world.Shows.Count, model.Config.Width);
        foreach (var (name, seed) in new[] { ("embedding.id.weight", 1), ("embedding.cg.weight", 2) })
        {
            var table = model.Network.get_parameter(name)!;
            table.narrow(0, FeatureSchema.FirstShowRow, shows).copy_(tensor(Clusters.Rows(shows, width, seed)).view(shows, width));
        }

        return M5Bundle.Write(model, models.Path);
    }

    private static double Mean(PrometheusText before, PrometheusText after, string name, string label = "") =>
        (after.Sum(name + "_sum", label) - before.Sum(name + "_sum", label)) /
        Math.Max(1, after.Sum(name + "_count", label) - before.Sum(name + "_count", label));

    /// <summary>Mean ms of an event in each stage.</summary>
    private static Dictionary<string, double> StagesOf(PrometheusText before, PrometheusText after)
    {
        const string name = Metrics + "event_to_servable_duration_seconds_count";
        var events = Math.Max(1, after.Sum(name) - before.Sum(name));
        double Of(string stage)
        {
            const string sum = Metrics + "stage_duration_seconds_sum";
            return 1000 * (after.Sum(sum, $"stage=\"{stage}\"") - before.Sum(sum, $"stage=\"{stage}\"")) / events;
        }

        return Stages.ToDictionary(stage => stage, Of);
    }

    private static Dictionary<string, double> Difference(
        Dictionary<string, double> before, Dictionary<string, double> after, double seconds) =>
        after.ToDictionary(a => a.Key, a => (a.Value - before[a.Key]) / seconds);

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var (topic, partitions) in new[]
        {
            (KafkaTopics.UserEvents, 4), (KafkaTopics.UserEventsDlq, 4), (KafkaTopics.Refresh, 4), (KafkaTopics.Catalog, 1),
        })
        {
            kafka.CreateTopic(topic, partitions);
        }

        redis = await RedisServer.StartAsync(new RedisServerOptions(), cancellationToken).ConfigureAwait(false);
        connection = await ConnectionMultiplexer.ConnectAsync(redis.Address).ConfigureAwait(false);
        await LoadAsync(connection.GetDatabase()).ConfigureAwait(false);
        worker = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "dotnet",
            Arguments =
            [
                Path.Combine(AppContext.BaseDirectory, "Nearline.Worker.dll"),
                $"--urls={address}",
                "--Worker:GrpcPort=-1",
                $"--Kafka:BootstrapServers={kafka.BootstrapServers}",

                // The mock answers a fetch only when its wait is over; Kafka would answer at once.
                "--Kafka:FetchWait=00:00:00.002",
                $"--Redis:ConnectionString={redis.Address}",
                $"--Worker:ModelsDirectory={models.Path}",
                $"--Worker:Precision={what.Precision.ToString().ToLowerInvariant()}",
                "--Index:Backend=exact-cpu",

                // Else it would renew all sets at its start, and their announcements pass for those of events.
                "--Worker:BackfillOnModel=false",

                // Every event's sets are to be made, not those of a user's last one.
                "--Worker:Debounce=00:00:00",
                .. what.Settings.Select(s => "--" + s),
            ],
            OwnSession = true,
            OnLine = line =>
            {
                // All is well as long as it says nothing but what it does.
                if (!line.Contains(" info: ", StringComparison.Ordinal))
                {
                    Console.Error.WriteLine(line);
                }
            },
        });
        while (true)
        {
            try
            {
                using var ready = await http.GetAsync(new Uri(address + "/healthz/ready"), cancellationToken).ConfigureAwait(false);
                if (ready.IsSuccessStatusCode)
                {
                    break;
                }
            }
            catch (HttpRequestException)
            {
                if (worker.HasExited)
                {
                    throw await worker.UnexpectedExitAsync().ConfigureAwait(false);
                }
            }

            await Task.Delay(50, cancellationToken).ConfigureAwait(false);
        }

        traffic = new Traffic(kafka.BootstrapServers, connection.GetSubscriber(), [.. users.Select(u => u.Id)], Shows);
    }

    private async Task LoadAsync(IDatabase database)
    {
        foreach (var chunk in users.Chunk(500))
        {
            await Task.WhenAll(chunk.Select(u => database.StringSetAsync(
                RedisKeys.State(u.Id),
                UserStateMapper.ToMessage(new StoredUser(u.Id, 0, u.History, new RecentEvents(128, [])), now).ToByteArray()))).ConfigureAwait(false);
        }
    }

    private async Task FeedAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var done = Done(await ScrapeAsync(CancellationToken.None).ConfigureAwait(false));
            while (traffic.Published - done < Ahead)
            {
                traffic.Publish();
            }

            await Task.Delay(200, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task DrainAsync(CancellationToken cancellationToken)
    {
        while (Done(await ScrapeAsync(cancellationToken).ConfigureAwait(false)) < traffic.Published)
        {
            await Task.Delay(100, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Events that are stored.</summary>
    private static double Done(PrometheusText metrics) => metrics.Sum(Metrics + "events_total");

    private Task<PrometheusText> ScrapeAsync(CancellationToken cancellationToken) =>
        PrometheusText.ReadAsync(http, address + "/metrics", cancellationToken);

    /// <summary>Seconds of processor time so far; this process is producer, Kafka and listener.</summary>
    private Dictionary<string, double> Cpu() => new(StringComparer.Ordinal)
    {
        ["worker"] = CpuOf(worker.Id),
        ["redis"] = CpuOf(redis.ProcessId!.Value),
        ["kafka_and_driver"] = CpuOf(Environment.ProcessId),
    };

    private static double CpuOf(int process)
    {
        using var running = Process.GetProcessById(process);
        return running.TotalProcessorTime.TotalSeconds;
    }
}
