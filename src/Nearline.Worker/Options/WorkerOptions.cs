using Microsoft.Extensions.Options;
using Nearline.Model;
using Nearline.Model.Behaviours;
using Nearline.Worker.Telemetry;

namespace Nearline.Worker.Options;

/// <summary>How events become sets; section <c>Worker</c>.</summary>
internal sealed class WorkerOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Worker";

    /// <summary>The most that <see cref="DrainTimeout"/> may be.</summary>
    public static readonly TimeSpan MaxDrainTimeout = TimeSpan.FromMinutes(1);

    private static readonly string[] Devices = ["auto", "cpu", "cuda"];

    private static readonly string[] Precisions = ["float32", "bfloat16"];

    /// <summary>The actions that can renew sets, by their names in the event contract; a deletion removes them.</summary>
    private static readonly Dictionary<string, ActionKind> RefreshingActions = Enum.GetValues<ActionKind>()
        .Where(kind => kind != ActionKind.DeleteUser)
        .ToDictionary(ActionNames.Of, StringComparer.Ordinal);

    /// <summary>The folder of bundles, with the pointer <c>active</c> to the one to serve.</summary>
    public string ModelsDirectory { get; set; } = "models";

    /// <summary>Where the model runs: auto (cuda when there is one), cpu or cuda.</summary>
    public string Device { get; set; } = "auto";

    /// <summary>Threads of one tower pass on the CPU, 0 to 256; 0: half the cores.</summary>
    public int Threads { get; set; }

    /// <summary>
    /// What comes before every key that is written, for a worker beside those that serve: it announces nothing and begins
    /// no backfill. Empty: the keys that are served.
    /// </summary>
    public string KeyPrefix { get; set; } = "";

    /// <summary>In what the tower's large products run: float32, as trained, or bfloat16.</summary>
    public string Precision { get; set; } = "float32";

    /// <summary>How often the pointer to the active model is read. 10 ms to 1 h.</summary>
    public TimeSpan ModelPollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Most events in a batch, 1 to 100,000.</summary>
    public int BatchMaxEvents { get; set; } = 512;

    /// <summary>Most users in a batch, 1 to 10,000.</summary>
    public int BatchMaxUsers { get; set; } = 256;

    /// <summary>How long a batch waits for more after its first event came in, while the model is busy. 0 to 10 s.</summary>
    public TimeSpan BatchDeadline { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Consumed records that may wait before partitions are paused, 1 to 1,000,000.</summary>
    public int MaxBuffered { get; set; } = 10_000;

    /// <summary>Bytes of consumed records that may wait before partitions are paused, 1,000 to 100 billion.</summary>
    public long MaxBufferedBytes { get; set; } = 64_000_000;

    /// <summary>Shows in a set, 1 to 1000.</summary>
    public int SetSize { get; set; } = 300;

    /// <summary>
    /// Shows that came after the model stand in sets where content says, or this many times further up; 0: only where
    /// their scores win them a place. 0 to 100.
    /// </summary>
    public double NewShowBoost { get; set; } = 1;

    /// <summary>How long a state outlives the user's last event. 1 s to 10 years.</summary>
    public TimeSpan StateTtl { get; set; } = TimeSpan.FromDays(400);

    /// <summary>How long a set outlives its last renewal. 1 s to 10 years.</summary>
    public TimeSpan SetTtl { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How far in the future an event's time may lie. 0 to 1 day.</summary>
    public TimeSpan MaxFutureSkew { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How many event ids of a user are remembered to recognise a producer's retries, 0 to 4096.</summary>
    public int RecentEventWindow { get; set; } = 128;

    /// <summary>How often the fallback lists are written again, in case Redis lost them. 1 s to 1 day.</summary>
    public TimeSpan FallbackInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long one attempt to read or write in Redis may take before it counts as failed and is made again. 100 ms to 1 min.
    /// </summary>
    public TimeSpan RedisTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Whether a write counts as done only when a replica of its Redis server has it: what a master acknowledges can be lost
    /// with it until then. Needs a replica of each master.
    /// </summary>
    public bool ConfirmOnReplica { get; set; }

    /// <summary>How long a stop, or a rebalance, waits for the batch in work. 100 ms to 1 min.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The actions that renew sets; null: all but impression, which only updates the state.</summary>
    public string[]? RefreshOn { get; set; }

    /// <summary>
    /// How soon after one another a user's sets are renewed: what comes sooner changes the state at once, and the sets
    /// when this has passed. 0 (always at once) to 10 min.
    /// </summary>
    public TimeSpan Debounce { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Whether sets of models that are served no more are made again in the background.</summary>
    public bool BackfillOnModel { get; set; } = true;

    /// <summary>
    /// How soon after one another all sets are made again because the catalog has changed. 0 (never) or 1 min to 30 days.
    /// </summary>
    public TimeSpan BackfillOnCatalog { get; set; }

    /// <summary>Users a second at most of a backfill that a worker begins. 0.1 to 1,000,000.</summary>
    public double BackfillRate { get; set; } = 1000;

    /// <summary>Users in a batch of backfill, which a live event may have to wait for. 1 to 10,000.</summary>
    public int BackfillBatch { get; set; } = 16;

    /// <summary>Requests of a backfill that may wait in Kafka: while there are more, no more are sent. 1 to 1,000,000.</summary>
    public int BackfillAhead { get; set; } = 2000;

    /// <summary>The port on which the api may ask about models and users, gRPC without TLS. 0: a free one; -1: none.</summary>
    public int GrpcPort { get; set; } = 5002;

    /// <summary>The IP address of that port: only the api should reach it.</summary>
    public string GrpcBindAddress { get; set; } = "127.0.0.1";

    /// <summary><see cref="Precision"/>, parsed.</summary>
    public ServingPrecision ServingPrecision() => Enum.Parse<ServingPrecision>(Precision, ignoreCase: true);

    /// <summary><see cref="RefreshOn"/>, parsed.</summary>
    public IReadOnlySet<ActionKind> RefreshingKinds() =>
        RefreshOn is { } names
            ? names.Select(name => RefreshingActions[name]).ToHashSet()
            : RefreshingActions.Values.Where(kind => kind != ActionKind.Impression).ToHashSet();

    internal sealed class Validator : IValidateOptions<WorkerOptions>
    {
        public ValidateOptionsResult Validate(string? name, WorkerOptions options)
        {
            var check = new OptionsCheck(Section);
            check.NotEmpty(nameof(ModelsDirectory), options.ModelsDirectory, "the folder of bundles");
            check.OneOf(nameof(Device), options.Device, Devices);
            check.KeyPrefix(nameof(KeyPrefix), options.KeyPrefix, "empty, or up to 64 letters, digits, '-', '_' or ':', such as shadow:");
            check.OneOf(nameof(Precision), options.Precision, Precisions);
            check.InRange(nameof(Threads), options.Threads, 0, 256);
            check.InRange(nameof(ModelPollInterval), options.ModelPollInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1));
            check.InRange(nameof(BatchMaxEvents), options.BatchMaxEvents, 1, 100_000);
            check.InRange(nameof(BatchMaxUsers), options.BatchMaxUsers, 1, 10_000);
            check.InRange(nameof(BatchDeadline), options.BatchDeadline, TimeSpan.Zero, TimeSpan.FromSeconds(10));
            check.InRange(nameof(MaxBuffered), options.MaxBuffered, 1, 1_000_000);
            check.InRange(nameof(MaxBufferedBytes), options.MaxBufferedBytes, 1_000, 100_000_000_000);
            check.InRange(nameof(SetSize), options.SetSize, 1, 1000);
            check.InRange(nameof(NewShowBoost), options.NewShowBoost, 0, 100);
            check.InRange(nameof(StateTtl), options.StateTtl, TimeSpan.FromSeconds(1), TimeSpan.FromDays(3650));
            check.InRange(nameof(SetTtl), options.SetTtl, TimeSpan.FromSeconds(1), TimeSpan.FromDays(3650));
            check.InRange(nameof(MaxFutureSkew), options.MaxFutureSkew, TimeSpan.Zero, TimeSpan.FromDays(1));
            check.InRange(nameof(RecentEventWindow), options.RecentEventWindow, 0, 4096);
            check.InRange(nameof(FallbackInterval), options.FallbackInterval, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
            check.InRange(nameof(RedisTimeout), options.RedisTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));
            check.InRange(nameof(DrainTimeout), options.DrainTimeout, TimeSpan.FromMilliseconds(100), MaxDrainTimeout);
            check.InRange(nameof(Debounce), options.Debounce, TimeSpan.Zero, TimeSpan.FromMinutes(10));
            if (options.BackfillOnCatalog != TimeSpan.Zero)
            {
                check.InRange(nameof(BackfillOnCatalog), options.BackfillOnCatalog, TimeSpan.FromMinutes(1), TimeSpan.FromDays(30));
            }

            check.InRange(nameof(BackfillRate), options.BackfillRate, 0.1, 1_000_000);
            check.InRange(nameof(BackfillBatch), options.BackfillBatch, 1, 10_000);
            check.InRange(nameof(BackfillAhead), options.BackfillAhead, 1, 1_000_000);
            check.InRange(nameof(GrpcPort), options.GrpcPort, -1, 65535);
            check.Address(nameof(GrpcBindAddress), options.GrpcBindAddress);
            foreach (var action in options.RefreshOn ?? [])
            {
                check.OneOf(nameof(RefreshOn), action, RefreshingActions.Keys);
            }

            return check.Result();
        }
    }
}
