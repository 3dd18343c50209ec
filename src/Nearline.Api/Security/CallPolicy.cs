using Grpc.AspNetCore.Server;
using Grpc.Core;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Security;

/// <summary>What an endpoint asks of its callers.</summary>
/// <param name="Method">As telemetry names it; null: no method of ours.</param>
/// <param name="Access">Whom it lets in.</param>
/// <param name="Required">The roles that <see cref="Security.Access.Role"/> asks for.</param>
/// <param name="IsUnary">Whether one answer ends it.</param>
/// <param name="IsShed">Whether overload may refuse it.</param>
internal sealed record CallPolicy(string? Method, Access Access, Roles Required, bool IsUnary, bool IsShed)
{
    private const string HealthService = "grpc.health.v1.Health";
    private const string ReflectionPrefix = "grpc.reflection.";

    /// <summary>Of what is no method, such as one that nobody implements.</summary>
    public static readonly CallPolicy Unmapped = new(null, Access.Known, Roles.None, IsUnary: false, IsShed: false);

    public static CallPolicy Of(Endpoint endpoint)
    {
        if (endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method is not { } method)
        {
            return Unmapped;
        }

        var service = method.ServiceName;
        var isCandidates = string.Equals(service, CandidateService.Descriptor.FullName, StringComparison.Ordinal);
        var access = string.Equals(service, HealthService, StringComparison.Ordinal) ? Access.Open
            : service.StartsWith(ReflectionPrefix, StringComparison.Ordinal) ? Access.Known
            : Access.Role;

        // A service that nobody thought of is the administrators', not everybody's.
        return new CallPolicy(
            $"{service}/{method.Name}", access, isCandidates ? Roles.Candidates : Roles.Admin, method.Type == MethodType.Unary, isCandidates);
    }
}

/// <summary>Whom an endpoint lets in.</summary>
internal enum Access
{
    /// <summary>Everybody.</summary>
    Open,

    /// <summary>Everybody who is known.</summary>
    Known,

    /// <summary>Those who have the role.</summary>
    Role,
}
