using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nearline.Contracts;
using Nearline.LocalServers;
using Nearline.LocalServers.Kafka;
using Nearline.LocalServers.Processes;
using Nearline.LocalServers.Redis;

namespace Nearline.Cli.Local;

/// <summary>
/// Kafka, Redis, the worker and the api on this machine: an embedded Kafka mock, a Redis server, and the two services
/// as processes of their own, as they run in production. Bound to loopback. What it started ends with it.
/// </summary>
internal sealed class LocalStack : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(15);

    private readonly LocalStackOptions options;
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private ChildProcess? worker;
    private ChildProcess? api;

    private LocalStack(LocalStackOptions options, MockKafkaCluster kafka, RedisServer redis)
    {
        this.options = options;
        Kafka = kafka;
        Redis = redis;
        InspectionAddress = Address(options.PreferUsualPorts ? UsualOrFree(5002) : FreePort.Next());
    }

    /// <summary>The embedded Kafka.</summary>
    public MockKafkaCluster Kafka { get; }

    /// <summary>The Redis server.</summary>
    public RedisServer Redis { get; }

    /// <summary>The api's gRPC address.</summary>
    public string GrpcAddress { get; private set; } = "";

    /// <summary>The api's HTTP address: metrics and health.</summary>
    public string ApiAddress { get; private set; } = "";

    /// <summary>The worker's HTTP address: metrics and health.</summary>
    public string WorkerAddress { get; private set; } = "";

    /// <summary>The worker's gRPC address, at which the api asks about models and users.</summary>
    public string InspectionAddress { get; }

    /// <summary>The worker's process.</summary>
    public ChildProcess Worker => worker ?? throw new InvalidOperationException("the worker was not started");

    /// <summary>The api's process.</summary>
    public ChildProcess Api => api ?? throw new InvalidOperationException("the api was not started");

    /// <summary>Starts all of it and waits until both services are ready.</summary>
    /// <exception cref="ChildProcessException">A part ended; the message has its last lines.</exception>
    /// <exception cref="TimeoutException">A part did not become ready; the message has what its readiness says.</exception>
    public static async Task<LocalStack> StartAsync(LocalStackOptions options, CancellationToken cancellationToken)
    {
        var kafka = MockKafkaCluster.Start();
        RedisServer redis;
        try
        {
            kafka.CreateTopic(KafkaTopics.UserEvents, options.Partitions);
            kafka.CreateTopic(KafkaTopics.UserEventsDlq, options.Partitions);
            kafka.CreateTopic(KafkaTopics.Refresh, options.Partitions);
            kafka.CreateTopic(KafkaTopics.Catalog, 1);
            redis = await RedisServer.StartAsync(
                new RedisServerOptions { Port = options.PreferUsualPorts ? UsualOrFree(6379) : 0 }, cancellationToken)
                .ConfigureAwait(false);
        }
        catch
        {
            kafka.Dispose();
            throw;
        }

        var stack = new LocalStack(options, kafka, redis);
        try
        {
            stack.StartApi();
            stack.StartWorker();
            await stack.WaitUntilReadyAsync(cancellationToken).ConfigureAwait(false);
            return stack;
        }
        catch
        {
            await stack.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Starts the worker; also after it was killed.</summary>
    public void StartWorker()
    {
        if (WorkerAddress.Length == 0)
        {
            WorkerAddress = Address(options.PreferUsualPorts ? UsualOrFree(9464) : FreePort.Next());
        }

        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["ASPNETCORE_URLS"] = WorkerAddress,
            ["Kafka__BootstrapServers"] = Kafka.BootstrapServers,
            ["Redis__ConnectionString"] = Redis.Address,
            ["Worker__ModelsDirectory"] = Path.GetFullPath(options.ModelsDirectory),
            ["Worker__Device"] = options.Device,
            ["Worker__GrpcPort"] = new Uri(InspectionAddress).Port.ToString(CultureInfo.InvariantCulture),
            // The mock answers a fetch only when its wait is over, even if a record came meanwhile; Kafka would answer at once.
            ["Kafka__FetchWait"] = "00:00:00.010",
        };
        foreach (var (name, value) in options.WorkerSettings)
        {
            settings[name] = value;
        }

        worker = StartService("Nearline.Worker", settings);
    }

    /// <summary>Waits until both services say that they are ready.</summary>
    public async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        await WaitUntilReadyAsync("worker", Worker, WorkerAddress, cancellationToken).ConfigureAwait(false);
        await WaitUntilReadyAsync("api", Api, ApiAddress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Completes when a service ends by itself; the exception has its last lines.</summary>
    public async Task<ChildProcessException> AnyUnexpectedExitAsync(CancellationToken cancellationToken)
    {
        var workerExit = Worker.WaitForExitAsync(cancellationToken);
        var apiExit = Api.WaitForExitAsync(cancellationToken);
        var first = await Task.WhenAny(workerExit, apiExit).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return await (first == workerExit ? Worker : Api).UnexpectedExitAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        // The worker first: it commits what it has done while Kafka and Redis are still there.
        if (worker is not null)
        {
            await worker.StopAsync(StopGrace).ConfigureAwait(false);
            await worker.DisposeAsync().ConfigureAwait(false);
        }

        if (api is not null)
        {
            await api.StopAsync(StopGrace).ConfigureAwait(false);
            await api.DisposeAsync().ConfigureAwait(false);
        }

        await Redis.DisposeAsync().ConfigureAwait(false);
        Kafka.Dispose();
        http.Dispose();
    }

    private static string Address(int port) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

    /// <summary>The usual port when nothing listens on it, else a free one.</summary>
    private static int UsualOrFree(int usual)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, usual);
            listener.Start();
            return usual;
        }
        catch (SocketException)
        {
            return FreePort.Next();
        }
    }

    private void StartApi()
    {
        var grpc = options.PreferUsualPorts ? UsualOrFree(5001) : FreePort.Next();
        var metrics = options.PreferUsualPorts ? UsualOrFree(9101) : FreePort.Next();
        GrpcAddress = Address(grpc);
        ApiAddress = Address(metrics);
        api = StartService("Nearline.Api", new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Api__GrpcPort"] = grpc.ToString(CultureInfo.InvariantCulture),
            ["Api__HttpPort"] = metrics.ToString(CultureInfo.InvariantCulture),
            ["Kafka__BootstrapServers"] = Kafka.BootstrapServers,
            ["Redis__ConnectionString"] = Redis.Address,
            ["Api__ModelsDirectory"] = Path.GetFullPath(options.ModelsDirectory),
            ["Api__WorkerAddress"] = InspectionAddress,
        });
    }

    private ChildProcess StartService(string name, IReadOnlyDictionary<string, string?> settings)
    {
        var program = Path.Combine(AppContext.BaseDirectory, name + ".dll");
        return ChildProcess.Start(new ChildProcessOptions
        {
            FileName = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet",
            Arguments = [program],
            Environment = settings,
            OwnSession = true,
            OnLine = options.Log is { } log ? line => log($"{name}: {line}") : null,
        });
    }

    private async Task WaitUntilReadyAsync(
        string name, ChildProcess process, string address, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(StartTimeout);
        var last = "it did not answer";
        try
        {
            while (true)
            {
                if (process.HasExited)
                {
                    throw await process.UnexpectedExitAsync().ConfigureAwait(false);
                }

                try
                {
                    using var response = await http.GetAsync(new Uri(address + "/healthz/ready"), timeout.Token)
                        .ConfigureAwait(false);
                    if (response.IsSuccessStatusCode)
                    {
                        return;
                    }

                    last = await response.Content.ReadAsStringAsync(timeout.Token).ConfigureAwait(false);
                }
                catch (HttpRequestException)
                {
                    // Not listening yet.
                }

                await Task.Delay(50, timeout.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"the {name} was not ready within {StartTimeout.TotalSeconds:F0} s: {last}\n{string.Join('\n', process.LastLines.TakeLast(10))}", e);
        }
    }
}
