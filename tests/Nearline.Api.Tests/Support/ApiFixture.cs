namespace Nearline.Api.Tests.Support;

/// <summary>A running service on the shared Redis, for the tests of one class.</summary>
public abstract class ApiFixture(SharedRedis redis) : IAsyncLifetime
{
    private RunningApi? _api;

    internal RunningApi Api => _api!;

    internal Seeder Seed => redis.Seed;

    protected string RedisAddress => redis.Address;

    internal virtual (string Key, object Value)[] Settings => [];

    public async Task InitializeAsync() => _api = await RunningApi.StartReadyAsync(redis.Address, Settings);

    public async Task DisposeAsync() => await Api.DisposeAsync();
}
