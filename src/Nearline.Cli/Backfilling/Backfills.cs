using System.Runtime.CompilerServices;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Cli.Console;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using StackExchange.Redis;

namespace Nearline.Cli.Backfilling;

/// <summary>Asks for backfills and looks at them, by what the workers keep in Redis.</summary>
internal sealed class Backfills : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly ConnectionMultiplexer connection;

    private Backfills(ConnectionMultiplexer connection) => this.connection = connection;

    private IDatabase Database => connection.GetDatabase();

    /// <exception cref="CliException">Redis does not answer.</exception>
    public static async Task<Backfills> ConnectAsync(string redis)
    {
        try
        {
            return new Backfills(await ConnectionMultiplexer.ConnectAsync(redis).ConfigureAwait(false));
        }
        catch (Exception e) when (e is RedisException or ArgumentException)
        {
            throw new CliException($"--redis is '{redis}': {e.Message}");
        }
    }

    /// <summary>Asks the workers for a backfill. One that a worker began is replaced, and begun again afterwards where needed.</summary>
    /// <exception cref="CliException">A value is wrong, or another one that was asked for is under way.</exception>
    public async Task<BackfillJob> BeginAsync(string scenario, double rate, bool onlyOutdated)
    {
        if (!(rate is > 0 and <= 1_000_000))
        {
            throw new CliException($"--rate is {rate}; it must be more than 0 and at most 1000000 users a second");
        }

        var known = await ReadAsync(RedisKeys.Scenarios, ScenarioDirectory.Parser, directory => directory.Schema).ConfigureAwait(false);
        if (scenario.Length > 0 && known?.Scenarios.Contains(scenario) != true)
        {
            throw new CliException(
                $"--scenario is '{scenario}'; served are {(known is null ? "none: no worker has published a model" : string.Join(", ", known.Scenarios))}");
        }

        var state = await StateAsync().ConfigureAwait(false);
        if (state is { IsOver: false, Job: { Reason: BackfillReason.Operator, Cancelled: false } other })
        {
            throw new CliException($"backfill {other.Id} is under way; wait for its end (nearline backfill --status) or end it (--cancel)");
        }

        var job = new BackfillJob
        {
            Schema = StorageSchema.Newest,
            Id = Guid.NewGuid().ToString("N"),
            Reason = BackfillReason.Operator,
            RequestedAt = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow),
            Scenario = scenario,
            Rate = rate,
            OnlyOutdated = onlyOutdated,
        };
        await Database.StringSetAsync(RedisKeys.Backfill, job.ToByteArray()).ConfigureAwait(false);
        return job;
    }

    /// <summary>Ends the backfill that is under way; false: none is.</summary>
    public async Task<bool> CancelAsync()
    {
        var state = await StateAsync().ConfigureAwait(false);
        if (state.IsOver || state.Job is not { } job)
        {
            return false;
        }

        job.Cancelled = true;
        await Database.StringSetAsync(RedisKeys.Backfill, job.ToByteArray()).ConfigureAwait(false);
        return true;
    }

    /// <summary>The latest backfill.</summary>
    public async Task<BackfillState> StateAsync()
    {
        var job = await ReadAsync(RedisKeys.Backfill, BackfillJob.Parser, job => job.Schema).ConfigureAwait(false);
        var progress = await ReadAsync(RedisKeys.BackfillProgress, BackfillProgress.Parser, progress => progress.Schema).ConfigureAwait(false);
        return new BackfillState(job, progress?.JobId == job?.Id ? progress : null);
    }

    /// <summary>The states of one backfill, until it is over or replaced.</summary>
    public async IAsyncEnumerable<BackfillState> FollowAsync(string id, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (true)
        {
            var state = await StateAsync().ConfigureAwait(false);
            yield return state;
            if (state.IsOver || state.Job?.Id != id)
            {
                yield break;
            }

            await Task.Delay(Pause, cancellation).ConfigureAwait(false);
        }
    }

    public void Dispose() => connection.Dispose();

    /// <exception cref="CliException">A newer version wrote it.</exception>
    private async Task<T?> ReadAsync<T>(string key, MessageParser<T> parser, Func<T, uint> schemaOf)
        where T : class, IMessage<T>
    {
        byte[]? value = await Database.StringGetAsync(key).ConfigureAwait(false);
        var read = value is null ? null : parser.ParseFrom(value);
        return read is null || StorageSchema.IsReadable(schemaOf(read))
            ? read
            : throw new CliException($"{key} in Redis cannot be read: {StorageSchema.Refusal(schemaOf(read))}");
    }
}
