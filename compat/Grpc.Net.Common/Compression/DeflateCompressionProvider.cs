using System.IO.Compression;

namespace Grpc.Net.Compression;

/// <summary>The encoding "deflate".</summary>
public sealed class DeflateCompressionProvider : ICompressionProvider
{
    private readonly CompressionLevel defaultCompressionLevel;

    public DeflateCompressionProvider(CompressionLevel defaultCompressionLevel) =>
        this.defaultCompressionLevel = defaultCompressionLevel;

    public string EncodingName => "deflate";

    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) =>
        new ZLibStream(stream, compressionLevel ?? defaultCompressionLevel, leaveOpen: true);

    public Stream CreateDecompressionStream(Stream stream) => new ZLibStream(stream, CompressionMode.Decompress);
}
