using Grpc.Net.Protocol;
using Microsoft.Extensions.Options;

namespace Grpc.AspNetCore.Server;

/// <summary>Says that AddGrpc was called.</summary>
internal sealed class GrpcMarkerService;

/// <summary>The defaults, before what the application configures.</summary>
internal sealed class DefaultGrpcServiceOptions : IConfigureOptions<GrpcServiceOptions>
{
    public void Configure(GrpcServiceOptions options)
    {
        if (!options.MaxReceiveMessageSizeSpecified)
        {
            options.MaxReceiveMessageSize = GrpcServiceOptions.DefaultMaxReceiveMessageSize;
        }

        if (options.CompressionProviders.Count == 0)
        {
            foreach (var provider in MessageCompression.Defaults)
            {
                options.CompressionProviders.Add(provider);
            }
        }
    }
}

/// <summary>Lets the options of one service begin with those of all, except the interceptors, which add up.</summary>
internal sealed class InheritedGrpcServiceOptions<TService>(IOptions<GrpcServiceOptions> global)
    : IConfigureOptions<GrpcServiceOptions<TService>>
    where TService : class
{
    public void Configure(GrpcServiceOptions<TService> options)
    {
        var from = global.Value;
        options.MaxReceiveMessageSize = from.MaxReceiveMessageSize;
        options.MaxSendMessageSize = from.MaxSendMessageSize;
        options.EnableDetailedErrors = from.EnableDetailedErrors;
        options.ResponseCompressionAlgorithm = from.ResponseCompressionAlgorithm;
        options.ResponseCompressionLevel = from.ResponseCompressionLevel;
        options.CompressionProviders = [.. from.CompressionProviders];
        options.IgnoreUnknownServices = from.IgnoreUnknownServices;
        options.SuppressCreatingService = from.SuppressCreatingService;
    }
}
