using System.Globalization;
using System.Net;
using System.Reflection;
using Nearline.Contracts;
using StackExchange.Redis;

namespace Nearline.Worker.Backfilling;

/// <summary>
/// Finds users by their states, page by page, on every master. SCAN returns each key that is there from beginning to end
/// at least once; keys that a cluster moves to another master meanwhile can be missed.
/// </summary>
internal sealed class StateScan(IConnectionMultiplexer redis)
{
    /// <summary>Versions of the client name it differently.</summary>
    private static readonly PropertyInfo IsReplica = typeof(IServer).GetProperty("IsReplica") ?? typeof(IServer).GetProperty("IsSlave")!;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>The addresses of the masters.</summary>
    /// <exception cref="TimeoutException">None is connected.</exception>
    public IReadOnlyList<string> Masters() =>
        ConnectedMasters().Select(Name).Order(StringComparer.Ordinal).ToList() is { Count: > 0 } masters
            ? masters
            : throw new TimeoutException("no Redis master is connected");

    /// <summary>How many keys the masters have, of all kinds.</summary>
    public async Task<long> KeysAsync(CancellationToken cancellationToken)
    {
        var sizes = await Task.WhenAll(ConnectedMasters().Select(s => s.DatabaseSizeAsync())).WaitAsync(Timeout, cancellationToken).ConfigureAwait(false);
        return sizes.Sum();
    }

    /// <summary>One page.</summary>
    /// <param name="master">One of <see cref="Masters"/>.</param>
    /// <param name="cursor">Where to go on; 0: at the beginning.</param>
    /// <param name="keys">About how many keys to look at.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Where the next page begins, 0 after the last; and the users, of whom one can come again.</returns>
    public async Task<(ulong Next, IReadOnlyList<string> Users)> PageAsync(
        string master, ulong cursor, int keys, CancellationToken cancellationToken)
    {
        var server = Servers().FirstOrDefault(s => Name(s) == master) ??
            throw new TimeoutException($"{master} is no connected Redis server");
        return await Task.Run(() => Page(server, cursor, keys), cancellationToken).WaitAsync(Timeout, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The client tells the cursor of the page that it reads, not of the one after it, so the first key of that is looked
    /// at as well.
    /// </summary>
    private static (ulong Next, IReadOnlyList<string> Users) Page(IServer server, ulong cursor, int keys)
    {
        var users = new List<string>();
        using var found = server.Keys(0, RedisKeys.AnyState, keys, (long)cursor).GetEnumerator();
        long? page = null;
        while (found.MoveNext())
        {
            var current = ((IScanningCursor)found).Cursor;
            if (current != (page ??= current))
            {
                return ((ulong)current, users);
            }

            if (RedisKeys.UserOfState(found.Current.ToString()) is { } user)
            {
                users.Add(user);
            }
        }

        return (0, users);
    }

    private static string Name(IServer server) => server.EndPoint switch
    {
        DnsEndPoint dns => string.Create(CultureInfo.InvariantCulture, $"{dns.Host}:{dns.Port}"),
        var other => other.ToString() ?? "",
    };

    private IEnumerable<IServer> Servers() => redis.GetEndPoints().Select(e => redis.GetServer(e)).Where(s => s.IsConnected);

    private IEnumerable<IServer> ConnectedMasters() => Servers().Where(s => !(bool)IsReplica.GetValue(s)!);
}
