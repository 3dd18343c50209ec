using System.Diagnostics;
using System.Globalization;
using Nearline.LocalServers.Processes;

namespace Nearline.LocalServers.Redis;

/// <summary>
/// A Redis Cluster for tests: three masters and a replica of each, redis-server processes on 127.0.0.1. A replica takes
/// the place of a master that does not answer for some seconds.
/// </summary>
public sealed class RedisCluster : IAsyncDisposable
{
    private const int Masters = 3;
    private const int Slots = 16384;
    private static readonly TimeSpan FormTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private RedisCluster(IReadOnlyList<RedisServer> nodes) => Nodes = nodes;

    /// <summary>All nodes: those that began as masters, then those that began as replicas, in the same order.</summary>
    public IReadOnlyList<RedisServer> Nodes { get; }

    /// <summary>"127.0.0.1:port" of every node, separated by commas.</summary>
    public string Addresses => string.Join(',', Nodes.Select(n => n.Address));

    /// <summary>Starts the nodes and waits until all slots are served and all replicas follow.</summary>
    /// <param name="extraArguments">Further arguments of each redis-server.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="ChildProcessException">redis-server is missing or ended.</exception>
    /// <exception cref="TimeoutException">They did not form a cluster in time.</exception>
    public static async Task<RedisCluster> StartAsync(
        IReadOnlyList<string>? extraArguments = null, CancellationToken cancellationToken = default)
    {
        var nodes = new List<RedisServer>();
        var buses = new List<int>();
        try
        {
            for (var i = 0; i < 2 * Masters; i++)
            {
                // The usual bus port, 10,000 above the other, may be beyond the last one there is.
                buses.Add(FreePort.Next());
                nodes.Add(await RedisServer.StartAsync(
                    new RedisServerOptions { Kind = RedisServerKind.Redis, ExtraArguments = [.. Arguments(buses[i]), .. extraArguments ?? []] },
                    cancellationToken).ConfigureAwait(false));
            }

            var cluster = new RedisCluster(nodes);
            await cluster.FormAsync(buses, cancellationToken).ConfigureAwait(false);
            return cluster;
        }
        catch
        {
            foreach (var node in nodes)
            {
                await node.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
    }

    /// <summary>The node that serves the key as its master now, as the others see it.</summary>
    /// <exception cref="TimeoutException">None does, within a minute.</exception>
    public Task<RedisServer> MasterOfAsync(string key, CancellationToken cancellationToken = default) => WaitAsync(
        $"key '{key}' has a master",
        async () =>
        {
            var (slot, table) = (int.Parse(await AskAsync(Running(), $"CLUSTER KEYSLOT {key}", cancellationToken).ConfigureAwait(false), CultureInfo.InvariantCulture), await TableAsync(cancellationToken).ConfigureAwait(false));
            return table.Where(n => n.IsMaster && !n.HasFailed && n.Slots.Any(s => s.First <= slot && slot <= s.Last)).Select(NodeOf).FirstOrDefault(n => n is { IsRunning: true });
        },
        cancellationToken);

    /// <summary>A replica that follows the master.</summary>
    /// <exception cref="TimeoutException">There is none, within a minute.</exception>
    public Task<RedisServer> ReplicaOfAsync(RedisServer master, CancellationToken cancellationToken = default) => WaitAsync(
        $"{master?.Address} has a replica",
        async () =>
        {
            var table = await TableAsync(cancellationToken).ConfigureAwait(false);
            var id = table.FirstOrDefault(n => n.Port == master!.Port)?.Id;
            return table.Where(n => n.MasterId == id && !n.HasFailed).Select(NodeOf).FirstOrDefault(n => n is { IsRunning: true });
        },
        cancellationToken);

    /// <summary>Waits until a node follows its master, as after its restart.</summary>
    /// <exception cref="TimeoutException">Not within a minute.</exception>
    public async Task FollowsAsync(RedisServer node, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(node);
        await WaitAsync(
            $"{node.Address} follows a master",
            async () => await InfoAsync(node, "INFO replication", "master_link_status:up", cancellationToken).ConfigureAwait(false) ? node : null,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Kills the processes and removes their data.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
        {
            await node.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static string[] Arguments(int bus) =>
    [
        "--cluster-enabled", "yes",
        "--cluster-port", bus.ToString(CultureInfo.InvariantCulture),
        "--cluster-node-timeout", "2500",
        "--cluster-replica-validity-factor", "0",
        "--repl-diskless-sync-delay", "0",
    ];

    private async Task FormAsync(List<int> buses, CancellationToken cancellationToken)
    {
        for (var i = 0; i < Nodes.Count; i++)
        {
            if (i < Masters)
            {
                await AskAsync(Nodes[i], $"CLUSTER ADDSLOTSRANGE {Slots * i / Masters} {(Slots * (i + 1) / Masters) - 1}", cancellationToken).ConfigureAwait(false);
            }

            await AskAsync(Nodes[i], $"CLUSTER SET-CONFIG-EPOCH {i + 1}", cancellationToken).ConfigureAwait(false);
            if (i > 0)
            {
                await AskAsync(Nodes[i], $"CLUSTER MEET 127.0.0.1 {Nodes[0].Port} {buses[0]}", cancellationToken).ConfigureAwait(false);
            }
        }

        await EachAsync(Nodes, "CLUSTER INFO", $"cluster_known_nodes:{Nodes.Count}", cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < Masters; i++)
        {
            var id = (await AskAsync(Nodes[i], "CLUSTER MYID", cancellationToken).ConfigureAwait(false)).Split('\n')[^1].Trim();
            await AskAsync(Nodes[Masters + i], $"CLUSTER REPLICATE {id}", cancellationToken).ConfigureAwait(false);
        }

        await EachAsync(Nodes, "CLUSTER INFO", "cluster_state:ok", cancellationToken).ConfigureAwait(false);
        await EachAsync(Nodes.Skip(Masters), "INFO replication", "master_link_status:up", cancellationToken).ConfigureAwait(false);
    }

    private async Task EachAsync(IEnumerable<RedisServer> nodes, string command, string line, CancellationToken cancellationToken)
    {
        foreach (var node in nodes)
        {
            await WaitAsync(
                $"{node.Address} says {line}",
                async () => await InfoAsync(node, command, line, cancellationToken).ConfigureAwait(false) ? node : null,
                cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<bool> InfoAsync(RedisServer node, string command, string line, CancellationToken cancellationToken) =>
        await RedisProbe.AskAsync(node.Port, command, cancellationToken).ConfigureAwait(false) is { } answer &&
        answer.Split("\r\n").Contains(line, StringComparer.Ordinal);

    private static async Task<string> AskAsync(RedisServer node, string command, CancellationToken cancellationToken)
    {
        var answer = await RedisProbe.AskAsync(node.Port, command, cancellationToken).ConfigureAwait(false);
        return answer is null || answer.StartsWith('-')
            ? throw new InvalidOperationException($"{node.Address} answers '{answer?.Trim() ?? "nothing"}' to {command}")
            : answer.TrimEnd().TrimStart(':', '+');
    }

    private static async Task<RedisServer> WaitAsync(string what, Func<Task<RedisServer?>> look, CancellationToken cancellationToken)
    {
        var since = Stopwatch.StartNew();
        while (true)
        {
            if (await look().ConfigureAwait(false) is { } found)
            {
                return found;
            }

            if (since.Elapsed > FormTimeout)
            {
                throw new TimeoutException($"not within {FormTimeout.TotalSeconds:F0} s: {what}");
            }

            await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
        }
    }

    private RedisServer Running() => Nodes.First(n => n.IsRunning);

    private RedisServer? NodeOf(Entry entry) => Nodes.FirstOrDefault(n => n.Port == entry.Port);

    private async Task<List<Entry>> TableAsync(CancellationToken cancellationToken)
    {
        var text = await AskAsync(Running(), "CLUSTER NODES", cancellationToken).ConfigureAwait(false);
        return [.. text.Split('\n').Skip(1).Select(line => line.Trim().Split(' ')).Where(fields => fields.Length >= 8).Select(Entry.Of)];
    }

    /// <summary>A line of CLUSTER NODES: id, address, flags, master, four numbers and states, slots.</summary>
    private sealed record Entry(string Id, int Port, bool IsMaster, bool HasFailed, string MasterId, IReadOnlyList<(int First, int Last)> Slots)
    {
        public static Entry Of(string[] fields)
        {
            var flags = fields[2].Split(',');
            return new Entry(
                fields[0],
                int.Parse(fields[1].Split('@')[0].Split(':')[1], CultureInfo.InvariantCulture),
                flags.Contains("master"),
                flags.Contains("fail") || flags.Contains("fail?"),
                fields[3],
                [.. fields.Skip(8).Where(range => !range.StartsWith('[')).Select(Range)]);
        }

        private static (int First, int Last) Range(string text)
        {
            var ends = text.Split('-');
            return (int.Parse(ends[0], CultureInfo.InvariantCulture), int.Parse(ends[^1], CultureInfo.InvariantCulture));
        }
    }
}
