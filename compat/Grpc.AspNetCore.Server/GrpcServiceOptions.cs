using System.IO.Compression;
using Grpc.Net.Compression;

namespace Grpc.AspNetCore.Server;

/// <summary>
/// Options of all services, or by <see cref="GrpcServiceOptions{TService}"/> of one, whose values win where set.
/// </summary>
public class GrpcServiceOptions
{
    internal const int DefaultMaxReceiveMessageSize = 4 * 1024 * 1024;

    private IList<ICompressionProvider>? compressionProviders;
    private int? maxReceiveMessageSize;
    private int? maxSendMessageSize;

    /// <summary>Bytes; null for no limit. 4 MiB unless set.</summary>
    public int? MaxReceiveMessageSize
    {
        get => maxReceiveMessageSize;
        set
        {
            maxReceiveMessageSize = value;
            MaxReceiveMessageSizeSpecified = true;
        }
    }

    /// <summary>Whether the value above was set, be it to null.</summary>
    public bool MaxReceiveMessageSizeSpecified { get; set; }

    /// <summary>Bytes; null, the default, for no limit.</summary>
    public int? MaxSendMessageSize
    {
        get => maxSendMessageSize;
        set
        {
            maxSendMessageSize = value;
            MaxSendMessageSizeSpecified = true;
        }
    }

    /// <summary>Whether the value above was set, be it to null.</summary>
    public bool MaxSendMessageSizeSpecified { get; set; }

    /// <summary>Tells clients what exception a handler threw.</summary>
    public bool? EnableDetailedErrors { get; set; }

    /// <summary>The encoding of responses to clients that accept it, e.g. "gzip". Null, the default, for none.</summary>
    public string? ResponseCompressionAlgorithm { get; set; }

    /// <summary>Null for the provider's own.</summary>
    public CompressionLevel? ResponseCompressionLevel { get; set; }

    /// <summary>gzip and deflate unless set otherwise.</summary>
    public IList<ICompressionProvider> CompressionProviders
    {
        get => compressionProviders ??= [];
        set => compressionProviders = value;
    }

    /// <summary>Leaves unknown services and methods to other endpoints, where they would get UNIMPLEMENTED.</summary>
    public bool? IgnoreUnknownServices { get; set; }

    /// <summary>The first is the outermost; those of all services come before those of one.</summary>
    public InterceptorCollection Interceptors { get; } = [];

    /// <summary>Calls the method without an instance of its service.</summary>
    public bool SuppressCreatingService { get; set; }

    internal IList<ICompressionProvider>? CompressionProvidersOrNull => compressionProviders;
}

/// <summary>Options of one service.</summary>
public class GrpcServiceOptions<TService> : GrpcServiceOptions
    where TService : class
{
}
