namespace Grpc.AspNetCore.HealthChecks;

/// <summary>The health checks that make up a service.</summary>
public sealed class ServiceMapping
{
    /// <summary>Chooses checks before they run, so that the others do not.</summary>
    public ServiceMapping(string name, Func<HealthCheckMapContext, bool> predicate)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(predicate);
        Name = name;
        HealthCheckPredicate = predicate;
    }

    /// <summary>Chooses results after all checks ran.</summary>
    public ServiceMapping(string name, Func<HealthResult, bool> predicate)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(predicate);
        Name = name;
        Predicate = predicate;
    }

    public string Name { get; }

    public Func<HealthCheckMapContext, bool>? HealthCheckPredicate { get; }

    public Func<HealthResult, bool>? Predicate { get; }
}
