using Nearline.Cli.Console;
using StackExchange.Redis;

namespace Nearline.Cli.Replaying;

/// <summary>What a replay wrote, to be removed.</summary>
internal static class ShadowKeys
{
    private const int Page = 1000;

    /// <summary>Removes every key that begins with the prefix; returns how many.</summary>
    public static async Task<long> DropAsync(string redis, string prefix, CancellationToken cancellationToken)
    {
        using var connection = await ConnectAsync(redis).ConfigureAwait(false);
        var database = connection.GetDatabase();
        var removed = 0L;
        foreach (var endpoint in connection.GetEndPoints())
        {
            // A replica tells the same keys as its master; the second removal finds none.
            foreach (var keys in connection.GetServer(endpoint).Keys(0, prefix + "nl:*", Page).Chunk(Page))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var gone = await Task.WhenAll(keys.Select(k => database.KeyDeleteAsync(k))).ConfigureAwait(false);
                removed += gone.Count(isGone => isGone);
            }
        }

        return removed;
    }

    private static async Task<ConnectionMultiplexer> ConnectAsync(string redis)
    {
        try
        {
            return await ConnectionMultiplexer.ConnectAsync(redis).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RedisException or RedisConnectionException or ArgumentException)
        {
            throw new CliException($"--redis is '{redis}': {e.Message}");
        }
    }
}
