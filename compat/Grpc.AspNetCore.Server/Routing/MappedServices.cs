namespace Grpc.AspNetCore.Server.Routing;

/// <summary>What an application has mapped so far, so that the endpoints for the unknown come once.</summary>
internal sealed class MappedServices
{
    private readonly HashSet<string> services = new(StringComparer.Ordinal);
    private bool unknownService;

    /// <summary>True the first time.</summary>
    public bool AddUnknownService() => !unknownService && (unknownService = true);

    /// <summary>True the first time for each service.</summary>
    public bool Add(string serviceName) => services.Add(serviceName);
}
