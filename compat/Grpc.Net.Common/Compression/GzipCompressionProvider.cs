using System.IO.Compression;

namespace Grpc.Net.Compression;

/// <summary>The encoding "gzip".</summary>
public sealed class GzipCompressionProvider : ICompressionProvider
{
    private readonly CompressionLevel defaultCompressionLevel;

    public GzipCompressionProvider(CompressionLevel defaultCompressionLevel) =>
        this.defaultCompressionLevel = defaultCompressionLevel;

    public string EncodingName => "gzip";

    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) =>
        new GZipStream(stream, compressionLevel ?? defaultCompressionLevel, leaveOpen: true);

    public Stream CreateDecompressionStream(Stream stream) => new GZipStream(stream, CompressionMode.Decompress);
}
