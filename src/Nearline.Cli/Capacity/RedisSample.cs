using System.Globalization;
using Nearline.Cli.Console;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using StackExchange.Redis;

namespace Nearline.Cli.Capacity;

/// <summary>What users take in a Redis that serves, by MEMORY USAGE of some of them: values, keys and what Redis adds.</summary>
/// <param name="Users">How many were looked at.</param>
/// <param name="StateBytes">A state and the list of watched shows.</param>
/// <param name="SetBytes">A set.</param>
/// <param name="SetsPerUser">How many sets a user has.</param>
internal sealed record RedisSample(int Users, double StateBytes, double SetBytes, double SetsPerUser)
{
    /// <summary>Looks at some users.</summary>
    /// <exception cref="CliException">Redis does not answer, or has no users.</exception>
    public static async Task<RedisSample> TakeAsync(string redis, int most)
    {
        ConnectionMultiplexer connection;
        try
        {
            connection = await ConnectionMultiplexer.ConnectAsync(redis).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RedisException or ArgumentException)
        {
            throw new CliException($"--redis is '{redis}': {e.Message}");
        }

        using (connection)
        {
            var database = connection.GetDatabase();
            byte[]? directory = await database.StringGetAsync(RedisKeys.Scenarios).ConfigureAwait(false);
            var scenarios = directory is null ? [] : ScenarioDirectory.Parser.ParseFrom(directory).Scenarios.ToList();
            var users = connection.GetEndPoints().Select(e => connection.GetServer(e)).Where(s => s.IsConnected)
                .SelectMany(s => s.Keys(pattern: RedisKeys.AnyState, pageSize: 500).Take(most))
                .Select(k => RedisKeys.UserOfState(k.ToString())).OfType<string>().Distinct(StringComparer.Ordinal).Take(most).ToList();
            if (users.Count == 0)
            {
                throw new CliException($"--redis is '{redis}', which has no states; figures can be taken where users are served");
            }

            var (states, sets, count) = (0.0, 0.0, 0);
            foreach (var user in users)
            {
                states += await BytesAsync(RedisKeys.State(user)).ConfigureAwait(false) + await BytesAsync(RedisKeys.Watched(user)).ConfigureAwait(false);
                foreach (var scenario in scenarios)
                {
                    var bytes = await BytesAsync(RedisKeys.Set(user, scenario)).ConfigureAwait(false);
                    sets += bytes;
                    count += bytes > 0 ? 1 : 0;
                }
            }

            return new RedisSample(users.Count, states / users.Count, count == 0 ? 0 : sets / count, (double)count / users.Count);

            async Task<double> BytesAsync(string key)
            {
                var reply = await database.ExecuteAsync("MEMORY", "USAGE", (RedisKey)key).ConfigureAwait(false);
                return reply.IsNull ? 0 : double.Parse(reply.ToString(), CultureInfo.InvariantCulture);
            }
        }
    }
}
