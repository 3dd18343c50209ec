using System.Reflection;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server.Reflection;

/// <summary>The descriptors of the services that an application has mapped.</summary>
internal sealed class MappedDescriptors(EndpointDataSource endpoints, ILogger<MappedDescriptors> logger)
{
    public IReadOnlyList<ServiceDescriptor> Read()
    {
        var descriptors = new List<ServiceDescriptor>();
        var types = endpoints.Endpoints
            .Select(e => e.Metadata.GetMetadata<GrpcMethodMetadata>()?.ServiceType)
            .OfType<Type>()
            .Distinct();
        foreach (var type in types)
        {
            if (Find(type) is { } descriptor)
            {
                descriptors.Add(descriptor);
            }
            else
            {
                logger.LogDebug("Could not find service descriptor for '{ServiceType}'.", type);
            }
        }

        return descriptors;
    }

    private static ServiceDescriptor? Find(Type serviceType)
    {
        for (var type = serviceType; type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is { } attribute)
            {
                return attribute.BindType.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null)
                    as ServiceDescriptor;
            }
        }

        return null;
    }
}
