using System.Collections.Frozen;
using System.IO.Compression;
using Grpc.Net.Compression;
using Grpc.Net.Protocol;

namespace Grpc.AspNetCore.Server.Calls;

/// <summary>The options that hold for the calls of one service: its own over those of all.</summary>
internal sealed record CallOptionsOfService
{
    public required int? MaxReceiveMessageSize { get; init; }

    public required int? MaxSendMessageSize { get; init; }

    public required bool EnableDetailedErrors { get; init; }

    public required string? ResponseCompressionAlgorithm { get; init; }

    public required CompressionLevel? ResponseCompressionLevel { get; init; }

    public required FrozenDictionary<string, ICompressionProvider> CompressionProviders { get; init; }

    /// <summary>The value of grpc-accept-encoding.</summary>
    public required string AcceptEncoding { get; init; }

    public required IReadOnlyList<InterceptorRegistration> Interceptors { get; init; }

    public required bool SuppressCreatingService { get; init; }

    public static CallOptionsOfService Merge(GrpcServiceOptions global, GrpcServiceOptions own, bool suppressService)
    {
        var algorithm = own.ResponseCompressionAlgorithm ?? global.ResponseCompressionAlgorithm;
        var providers = new OrderedDictionary<string, ICompressionProvider>(StringComparer.Ordinal);
        foreach (var provider in global.CompressionProviders.Concat(own.CompressionProvidersOrNull ?? []))
        {
            providers[provider.EncodingName] = provider;
        }

        if (algorithm is not null && algorithm != GrpcHeaders.Identity && !providers.ContainsKey(algorithm))
        {
            throw new InvalidOperationException(
                $"The configured response compression algorithm '{algorithm}' does not have a matching compression provider.");
        }

        return new CallOptionsOfService
        {
            MaxReceiveMessageSize = own.MaxReceiveMessageSizeSpecified ? own.MaxReceiveMessageSize : global.MaxReceiveMessageSize,
            MaxSendMessageSize = own.MaxSendMessageSizeSpecified ? own.MaxSendMessageSize : global.MaxSendMessageSize,
            EnableDetailedErrors = own.EnableDetailedErrors ?? global.EnableDetailedErrors ?? false,
            ResponseCompressionAlgorithm = algorithm,
            ResponseCompressionLevel = own.ResponseCompressionLevel ?? global.ResponseCompressionLevel,
            CompressionProviders = providers.ToFrozenDictionary(StringComparer.Ordinal),
            AcceptEncoding = string.Join(',', providers.Keys.Prepend(GrpcHeaders.Identity)),
            Interceptors = [.. global.Interceptors, .. own.Interceptors],
            SuppressCreatingService = suppressService || own.SuppressCreatingService || global.SuppressCreatingService,
        };
    }
}
