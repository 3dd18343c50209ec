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

    public string Name { get; }

    public Func<HealthCheckMapContext, bool>? HealthCheckPredicate { get; }
}
