using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Nearline.ServiceDefaults;

/// <summary>Registers the shared Redis connection.</summary>
public static class RedisServiceCollectionExtensions
{
    /// <summary>
    /// Registers <see cref="RedisOptions"/> from section <c>Redis</c>, one <see cref="IConnectionMultiplexer"/> that
    /// connects and reconnects in the background (a start without Redis does not fail), and the ready check
    /// <c>redis</c>.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">Has the section.</param>
    /// <param name="whenDown">What the check says while Redis does not answer: Degraded leaves the service ready.</param>
    public static IServiceCollection AddNearlineRedis(
        this IServiceCollection services, IConfiguration configuration, HealthStatus whenDown = HealthStatus.Unhealthy)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<RedisOptions>().Bind(configuration.GetSection(RedisOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<RedisOptions>, RedisOptions.Validator>();
        services.AddSingleton<IConnectionMultiplexer>(provider =>
            ConnectionMultiplexer.Connect(provider.GetRequiredService<IOptions<RedisOptions>>().Value.ToConfiguration()));
        services.AddHealthChecks().AddCheck<RedisHealthCheck>("redis", whenDown, tags: [NearlineDefaults.ReadyTag]);
        return services;
    }
}
