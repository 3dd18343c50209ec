using Grpc.Health.V1;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Grpc.AspNetCore.HealthChecks;

/// <summary>The status of a service by the results of its health checks.</summary>
internal static class MappedStatus
{
    /// <summary>NOT_SERVING if any is unhealthy, else SERVING; UNKNOWN where none is the service's.</summary>
    public static HealthCheckResponse.Types.ServingStatus Of(ServiceMapping mapping, IEnumerable<KeyValuePair<string, HealthReportEntry>> entries)
    {
        var status = HealthCheckResponse.Types.ServingStatus.Unknown;
        foreach (var (name, entry) in entries)
        {
            if (!IsIn(mapping, name, entry))
            {
                continue;
            }

            if (entry.Status == HealthStatus.Unhealthy)
            {
                return HealthCheckResponse.Types.ServingStatus.NotServing;
            }

            status = HealthCheckResponse.Types.ServingStatus.Serving;
        }

        return status;
    }

    private static bool IsIn(ServiceMapping mapping, string name, HealthReportEntry entry) =>
        mapping.HealthCheckPredicate?.Invoke(new HealthCheckMapContext(name, entry.Tags)) == true;
}
