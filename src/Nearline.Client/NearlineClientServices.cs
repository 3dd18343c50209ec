using Microsoft.Extensions.DependencyInjection;

namespace Nearline.Client;

/// <summary>Adds the client to an application's services.</summary>
public static class NearlineClientServices
{
    /// <summary>Adds one <see cref="NearlineClient"/> for the whole application.</summary>
    /// <exception cref="ArgumentException">A setting cannot work.</exception>
    public static IServiceCollection AddNearlineClient(this IServiceCollection services, Action<NearlineClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new NearlineClientOptions();
        configure(options);
        options.Check();
        return services.AddSingleton(provider => new NearlineClient(options, (TimeProvider?)provider.GetService(typeof(TimeProvider))));
    }
}
