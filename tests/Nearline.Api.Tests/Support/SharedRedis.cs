using Nearline.LocalServers.Redis;
using StackExchange.Redis;

namespace Nearline.Api.Tests.Support;

/// <summary>One redis-server for all tests that do not harm it; they keep apart by user ids.</summary>
public sealed class SharedRedis : IAsyncLifetime
{
    private RedisServer? _server;
    private ConnectionMultiplexer? _connection;

    public string Address => _server!.Address;

    internal Seeder Seed => new(_connection!.GetDatabase());

    public async Task InitializeAsync()
    {
        _server = await RedisServer.StartAsync();
        _connection = await ConnectionMultiplexer.ConnectAsync(Address);
        await Seed.FallbacksAsync();
    }

    public async Task DisposeAsync()
    {
        _connection?.Dispose();
        await _server!.DisposeAsync();
    }
}

/// <summary>
/// Tests that run the service, one after another: a listener to meters hears those of its name in the whole process, so
/// two services at once would count for each other.
/// </summary>
[CollectionDefinition(Name)]
public sealed class RedisCollection : ICollectionFixture<SharedRedis>
{
    public const string Name = "redis";
}
