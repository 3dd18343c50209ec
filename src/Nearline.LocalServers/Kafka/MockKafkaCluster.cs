using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Confluent.Kafka;
using Native = Nearline.LocalServers.Kafka.NativeMethods;

namespace Nearline.LocalServers.Kafka;

/// <summary>
/// An in-process Kafka for development and tests: librdkafka's mock cluster, which speaks the Kafka protocol over
/// TCP to any client, on any process of this machine. Members may be called from any thread.
/// </summary>
/// <remarks>
/// <para><b>Listeners.</b> Each broker listens on 127.0.0.1, on a port that the system picks; librdkafka offers no
/// way to fix it, so print or pass on <see cref="BootstrapServers"/>. A broker keeps its port when it goes down and
/// comes up again.</para>
/// <para><b>Bounded log.</b> A partition keeps its newest record batches in memory, up to 5 MiB (compressed size) and
/// 100,000 batches; both limits are constants in librdkafka, which no public function changes. When a new batch
/// passes a limit the oldest batches are dropped, read or not. The partition's low watermark (log start
/// offset) moves up with each drop; a consumer whose position lies below it gets OFFSET_OUT_OF_RANGE, on which the client
/// applies <c>auto.offset.reset</c>: <c>earliest</c> skips forward to the low watermark. A backlog larger than
/// 5 MiB a partition is therefore lost: spread it over more partitions, or feed no faster than it is read.</para>
/// <para><b>Groups.</b> The classic protocol with offset commits, incremental (cooperative-sticky) assignment
/// included. The first join of a group waits 3 s for more members; a later join waits, unless every known member
/// rejoins, for a second less than <c>session.timeout.ms</c>. A member learns of a rebalance at its next heartbeat,
/// and one that does not leave is dropped after its session timeout; a session of 3 s or less ends during the first
/// join. Tests are fast with a heartbeat of 100 ms and a session of 4 s. With librdkafka 2.0.2 a cooperative consumer without a partitions-revoked handler does not leave on Close: its
/// successor waits out the session twice.</para>
/// <para><b>Not there.</b> Retention by time, compaction, look-up of offsets by time, admin requests (create topics
/// here, with <see cref="CreateTopic"/>; an unknown topic that a client asks for is created with 4 partitions), authentication,
/// and isolation: aborted transactions stay visible. One fetch returns one batch a partition, so a producer that
/// does not batch makes slow consumers. Nothing outlives the process.</para>
/// </remarks>
public sealed unsafe class MockKafkaCluster : IDisposable
{
    /// <summary>For broker arguments: every broker.</summary>
    public const int AllBrokers = -1;

    private readonly Lock _gate = new();
    private nint _client;
    private nint _cluster;

    private MockKafkaCluster(nint client, nint cluster, int brokers)
    {
        _client = client;
        _cluster = cluster;
        Brokers = brokers;
        BootstrapServers = Marshal.PtrToStringUTF8(Native.rd_kafka_mock_cluster_bootstraps(cluster))!;
    }

    /// <summary>Comma-separated <c>127.0.0.1:port</c>, one a broker: a client's <c>bootstrap.servers</c>.</summary>
    public string BootstrapServers { get; }

    /// <summary>How many brokers the cluster has; their ids are 1 to this number.</summary>
    public int Brokers { get; }

    /// <summary>Version of the librdkafka in use, such as "2.0.2".</summary>
    public static string LibraryVersion => Marshal.PtrToStringUTF8(Native.rd_kafka_version_str())!;

    /// <summary>Starts a cluster. It logs nothing.</summary>
    /// <param name="brokers">1 to 100 brokers.</param>
    /// <exception cref="DllNotFoundException">librdkafka is not installed; the message names the package.</exception>
    public static MockKafkaCluster Start(int brokers = 1)
    {
        if (brokers is < 1 or > 100)
        {
            throw new ArgumentOutOfRangeException(nameof(brokers), brokers, "A mock cluster has 1 to 100 brokers.");
        }

        var conf = Native.rd_kafka_conf_new();
        Native.rd_kafka_conf_set_log_cb(conf, null);

        const int ErrorSize = 512;
        var error = stackalloc byte[ErrorSize];
        var client = Native.rd_kafka_new(Native.ProducerType, conf, error, ErrorSize);
        if (client == 0)
        {
            // rd_kafka_new takes the configuration only when it succeeds.
            Native.rd_kafka_conf_destroy(conf);
            throw new InvalidOperationException(
                $"librdkafka {LibraryVersion} made no client for the mock cluster: {Marshal.PtrToStringUTF8((nint)error)}");
        }

        var cluster = Native.rd_kafka_mock_cluster_new(client, brokers);
        if (cluster == 0)
        {
            Native.rd_kafka_destroy(client);
            throw new InvalidOperationException(
                $"librdkafka {LibraryVersion} made no mock cluster of {brokers} brokers on 127.0.0.1.");
        }

        return new MockKafkaCluster(client, cluster, brokers);
    }

    /// <summary>Creates a topic whose partitions' leaders are spread over the brokers.</summary>
    /// <param name="name">1 to 249 of the characters that Kafka allows: letters, digits, dot, underscore, hyphen.</param>
    /// <param name="partitions">Number of partitions, at least 1.</param>
    /// <param name="replicas">Replicas a partition, 1 to <see cref="Brokers"/>.</param>
    /// <exception cref="KafkaException">The cluster refused: TOPIC_ALREADY_EXISTS, for one.</exception>
    public void CreateTopic(string name, int partitions, int replicas = 1)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length is 0 or > 249 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
        {
            throw new ArgumentException(
                $"Topic name '{name}' is not 1 to 249 letters, digits, dots, underscores or hyphens.", nameof(name));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(replicas, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(replicas, Brokers);
        Do($"create topic '{name}'", cluster => Native.rd_kafka_mock_topic_create(cluster, name, partitions, replicas));
    }

    /// <summary>
    /// Cuts a broker's connections and refuses new ones. Leaders stay where they are, so its partitions are
    /// unavailable until <see cref="BrokerUp"/> or <see cref="SetLeader"/>.
    /// </summary>
    public void BrokerDown(int broker = AllBrokers)
    {
        CheckBroker(broker);
        Do($"take broker {broker} down", cluster => Native.rd_kafka_mock_broker_set_down(cluster, broker));
    }

    /// <summary>Lets a broker that is down accept connections again, on the same port.</summary>
    public void BrokerUp(int broker = AllBrokers)
    {
        CheckBroker(broker);
        Do($"bring broker {broker} up", cluster => Native.rd_kafka_mock_broker_set_up(cluster, broker));
    }

    /// <summary>Delays each response of a broker; zero ends it.</summary>
    /// <param name="broker">1 to <see cref="Brokers"/>, or <see cref="AllBrokers"/>.</param>
    /// <param name="roundTrip">At least zero; rounded to whole milliseconds.</param>
    public void SetLatency(int broker, TimeSpan roundTrip)
    {
        CheckBroker(broker);
        ArgumentOutOfRangeException.ThrowIfLessThan(roundTrip, TimeSpan.Zero);
        var milliseconds = checked((int)Math.Round(roundTrip.TotalMilliseconds));
        Do($"delay broker {broker}", cluster => Native.rd_kafka_mock_broker_set_rtt(cluster, broker, milliseconds));
    }

    /// <summary>Moves a partition's leadership to a broker, or to none with -1.</summary>
    public void SetLeader(string topic, int partition, int broker)
    {
        CheckBroker(broker);
        Do(
            $"make broker {broker} the leader of {topic} [{partition}]",
            cluster => Native.rd_kafka_mock_partition_set_leader(cluster, topic, partition, broker));
    }

    /// <summary>Makes a broker the coordinator of a consumer group.</summary>
    public void SetGroupCoordinator(string group, int broker)
    {
        CheckBroker(broker);
        Do(
            $"make broker {broker} the coordinator of group '{group}'",
            cluster => Native.rd_kafka_mock_coordinator_set(cluster, "group", group, broker));
    }

    /// <summary>
    /// Makes the next requests of one kind fail, the first with the first error and so on, whichever client sends
    /// them. <see cref="ErrorCode.NoError"/> lets one pass; <see cref="ErrorCode.Local_Transport"/> cuts the connection instead.
    /// Errors queue behind those of earlier calls.
    /// </summary>
    public void FailNext(KafkaRequest api, params ErrorCode[] errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        var codes = Array.ConvertAll(errors, e => (int)e);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_cluster == 0, this);
            fixed (int* first = codes)
            {
                Native.rd_kafka_mock_push_request_errors_array(_cluster, (short)api, (nuint)codes.Length, first);
            }
        }
    }

    /// <summary>Forgets the errors that <see cref="FailNext"/> queued and no request has met yet.</summary>
    public void ClearFailures(KafkaRequest api)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_cluster == 0, this);
            Native.rd_kafka_mock_clear_request_errors(_cluster, (short)api);
        }
    }

    /// <summary>Closes the listeners and drops every topic, group and offset.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_cluster == 0)
            {
                return;
            }

            Native.rd_kafka_mock_cluster_destroy(_cluster);
            Native.rd_kafka_destroy(_client);
            _cluster = 0;
            _client = 0;
        }
    }

    private void Do(string what, Func<nint, int> call)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_cluster == 0, this);
            var code = (ErrorCode)call(_cluster);
            if (code != ErrorCode.NoError)
            {
                throw new KafkaException(new Error(code, $"The mock cluster did not {what}: {code}"));
            }
        }
    }

    private void CheckBroker(int broker, [CallerArgumentExpression(nameof(broker))] string? name = null)
    {
        if (broker != AllBrokers && (broker < 1 || broker > Brokers))
        {
            throw new ArgumentOutOfRangeException(
                name, broker, $"Broker ids are 1 to {Brokers}, or {AllBrokers} for all.");
        }
    }
}
