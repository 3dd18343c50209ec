using Google.Protobuf;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using Nearline.Model.Serving;
using Nearline.Worker.State;
using StackExchange.Redis;
using StackExchange.Redis.KeyspaceIsolation;

namespace Nearline.Worker.Models;

/// <summary>Stores what users without a set are served.</summary>
/// <param name="redis">The connection.</param>
/// <param name="clock">For the lists' time.</param>
/// <param name="keyPrefix">What comes before every key.</param>
internal sealed class FallbackStore(IConnectionMultiplexer redis, TimeProvider clock, string keyPrefix = "")
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Writes the lists, which do not expire, and then the directory of scenarios that leads to them.</summary>
    public async Task WriteAsync(
        string modelVersion, IReadOnlyList<ScenarioCandidates> lists, CancellationToken cancellationToken)
    {
        var database = redis.GetDatabase().WithKeyPrefix(keyPrefix);
        var now = clock.GetUtcNow();
        await Task.WhenAll(lists.Select(list => database.StringSetAsync(
            list.Scenario.Length == 0 ? RedisKeys.Popular : RedisKeys.PopularIn(list.Scenario),
            RetrievalSetMapper.Fallback(list, modelVersion, now).ToByteArray()))).WaitAsync(Timeout, cancellationToken).ConfigureAwait(false);
        var directory = new ScenarioDirectory { Schema = StorageSchema.Newest, ModelVersion = modelVersion };
        directory.Scenarios.AddRange(
            lists.Select(list => list.Scenario).Where(s => s.Length > 0).Order(StringComparer.Ordinal));
        await database.StringSetAsync(RedisKeys.Scenarios, directory.ToByteArray())
            .WaitAsync(Timeout, cancellationToken).ConfigureAwait(false);
    }
}
