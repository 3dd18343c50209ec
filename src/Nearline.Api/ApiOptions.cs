using Nearline.Api.Security;

namespace Nearline.Api;

/// <summary>The service's settings; section <c>Api</c>. Checked at start-up by <see cref="ApiOptionsValidator"/>.</summary>
public sealed class ApiOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Api";

    /// <summary>The IP address to listen on. Default <c>127.0.0.1</c>; <c>0.0.0.0</c> in a container.</summary>
    public string BindAddress { get; set; } = "127.0.0.1";

    /// <summary>gRPC over HTTP/2, in the clear unless <see cref="Tls"/> is set; 0: a free port. Default 5001.</summary>
    public int GrpcPort { get; set; } = 5001;

    /// <summary>HTTP/1 for <c>/metrics</c> and <c>/healthz</c>; 0: a free port. Default 9101.</summary>
    public int HttpPort { get; set; } = 9101;

    /// <summary>How many candidates a request with limit 0 gets, 1 to 1000; 0, the default: the whole set.</summary>
    public int DefaultLimit { get; set; }

    /// <summary>The most requests in one MultiGetCandidates, 1 to 1000. Default 200.</summary>
    public int MaxMultiGet { get; set; } = 200;

    /// <summary>Calls in flight past this many are refused with RESOURCE_EXHAUSTED. At least 1; default 512.</summary>
    public int MaxConcurrentRequests { get; set; } = 512;

    /// <summary>
    /// While more pieces of work than this wait for a processor, calls are refused with RESOURCE_EXHAUSTED before their
    /// message is read; without TLS even before their headers are. 0, the default: 64 a processor, some 2 ms' worth.
    /// </summary>
    public int MaxQueuedWork { get; set; }

    /// <summary>WatchCandidates streams past this many are refused likewise. At least 1; default 5000.</summary>
    public int MaxWatchStreams { get; set; } = 5000;

    /// <summary>Connections of gRPC clients past this many are closed at once. At least 1; default 2000.</summary>
    public int MaxConnections { get; set; } = 2000;

    /// <summary>The longest request, before and after decompression. 1 KiB to 64 MiB; default 4 MiB.</summary>
    public int MaxMessageBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>The deadline of a call whose caller gave none, streams excepted. 10 ms to 10 min, or 0 for none; default 5 s.</summary>
    public TimeSpan DefaultDeadline { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>What responses are compressed by, for callers that accept it. Default none: it costs more time than it saves within a data centre.</summary>
    public ResponseCompression ResponseCompression { get; set; }

    /// <summary>TLS of the gRPC endpoint, and client certificates. Default: none.</summary>
    public TlsOptions Tls { get; } = new();

    /// <summary>Who may call, by name. None, the default: everybody, on a loopback address only.</summary>
    public Dictionary<string, ClientOptions> Clients { get; } = new(StringComparer.Ordinal);

    /// <summary>Lets callers without credentials read candidates, but not administer. Default false.</summary>
    public bool AllowAnonymous { get; set; }

    /// <summary>Takes keys without TLS on an address that is not loopback, where a mesh or proxy encrypts. Default false.</summary>
    public bool AllowCleartextKeys { get; set; }

    /// <summary>
    /// Calls a second of one client, or of one address without a name; a MultiGetCandidates counts as many as it has
    /// requests. 0, the default: no limit.
    /// </summary>
    public double CallsPerSecond { get; set; }

    /// <summary>How many calls may come at once after a pause. 0, the default: one second's worth.</summary>
    public int CallsBurst { get; set; }

    /// <summary>How long a read from Redis may take. 1 ms to 10 s; default 50 ms.</summary>
    public TimeSpan RedisTimeout { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// How long what was read of a user may be served again without asking Redis: the most by which a renewed set or a
    /// watched show comes late. Announced renewals end it at once. 0: every call reads. 0 to 1 min; default 2 s.
    /// </summary>
    public TimeSpan CacheTtl { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How many users' scenarios are kept so, some 6 KB each. 1 to 1,000,000; default 8192.</summary>
    public int CacheEntries { get; set; } = 8192;

    /// <summary>
    /// The circuit to Redis opens when half of at least this many reads failed within
    /// <see cref="BreakerSampling"/>. At least 2; default 10.
    /// </summary>
    public int BreakerMinimumReads { get; set; } = 10;

    /// <summary>The window of <see cref="BreakerMinimumReads"/>. 500 ms to 1 min; default 5 s.</summary>
    public TimeSpan BreakerSampling { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an open circuit answers without asking Redis. 500 ms to 1 min; default 1 s.</summary>
    public TimeSpan BreakerDuration { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How often the fallback lists in memory are read again. 50 ms to 1 h; default 5 s.</summary>
    public TimeSpan FallbackRefresh { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>One refresh request a user in this time. 0 to 1 h; default 30 s.</summary>
    public TimeSpan RefreshDebounce { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Refresh requests waiting for Kafka; more are dropped and counted. 1 to 1,000,000; default 10,000.</summary>
    public int RefreshQueue { get; set; } = 10_000;

    /// <summary>
    /// A watched set is also read again this often, since a published renewal may be lost with the connection. 50 ms to
    /// 1 h; default 30 s.
    /// </summary>
    public TimeSpan WatchResync { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The folder of bundles that the workers follow, for AdminService. Empty, the default: models are not administered here.
    /// </summary>
    public string ModelsDirectory { get; set; } = "";

    /// <summary>
    /// Where a worker may be asked about its models and about users, such as <c>http://127.0.0.1:5002</c>. Empty, the default:
    /// ExplainCandidate knows only what is stored, and GetIndexInfo nothing.
    /// </summary>
    public string WorkerAddress { get; set; } = "";

    /// <summary>How long a worker may take to answer. 10 ms to 1 min; default 2 s.</summary>
    public TimeSpan WorkerTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long Kafka may take to acknowledge RefreshUser and DeleteUser. 100 ms to 1 min; default 3 s.</summary>
    public TimeSpan KafkaTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How often grpc.health.v1 looks at the ready checks. 1 s to 1 min; default 2 s.</summary>
    public TimeSpan HealthPeriod { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// On shutdown the service reports itself not ready for this long before it stops listening, so that load balancers
    /// turn away. 0 to 5 min; default 0.
    /// </summary>
    public TimeSpan ShutdownDelay { get; set; } = TimeSpan.Zero;

    /// <summary>How long calls in flight may take to end after that. 100 ms to 5 min; default 10 s.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>How responses may be compressed.</summary>
public enum ResponseCompression
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>By gzip.</summary>
    Gzip,
}
