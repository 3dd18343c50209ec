using System.Globalization;
using System.Net;
using Nearline.Contracts;
using StackExchange.Redis;

namespace Nearline.Worker.Backfilling;

/// <summary>
/// Finds users by their states, page by page, on every master. SCAN returns each key that is there from beginning to end
/// at least once; keys that a cluster moves to another master meanwhile can be missed.
/// </summary>
internal sealed class StateScan(IConnectionMultiplexer redis)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>The addresses of the masters.</summary>
    /// <exception cref="RedisException">None is connected.</exception>
    public IReadOnlyList<string> Masters() =>
        Servers().Select(Name).Order(StringComparer.Ordinal).ToList() is { Count: > 0 } masters
            ? masters
            : throw new RedisException("no Redis master is connected");

    /// <summary>How many keys the masters have, of all kinds.</summary>
    public async Task<long> KeysAsync(CancellationToken cancellationToken)
    {
        var sizes = await Task.WhenAll(Servers().Select(s => s.DatabaseSizeAsync())).WaitAsync(Timeout, cancellationToken).ConfigureAwait(false);
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
            throw new RedisException($"{master} is no connected Redis master");
        var reply = await server.ExecuteAsync(
                "SCAN", cursor.ToString(CultureInfo.InvariantCulture), "MATCH", RedisKeys.AnyState, "COUNT", keys)
            .WaitAsync(Timeout, cancellationToken).ConfigureAwait(false);
        var parts = (RedisResult[])reply!;
        var found = (string[])parts[1]!;
        return (ulong.Parse((string)parts[0]!, CultureInfo.InvariantCulture), [.. found.Select(RedisKeys.UserOfState).OfType<string>()]);
    }

    private static string Name(IServer server) => server.EndPoint switch
    {
        DnsEndPoint dns => string.Create(CultureInfo.InvariantCulture, $"{dns.Host}:{dns.Port}"),
        var other => other.ToString() ?? "",
    };

    private IEnumerable<IServer> Servers() =>
        redis.GetEndPoints().Select(e => redis.GetServer(e)).Where(s => s.IsConnected && !s.IsReplica);
}
