using System.IO.Compression;

namespace Grpc.Net.Compression;

/// <summary>A compression that messages may be sent in.</summary>
public interface ICompressionProvider
{
    /// <summary>The name on the wire: the value of grpc-encoding.</summary>
    string EncodingName { get; }

    /// <summary>A stream that writes compressed to <paramref name="stream"/>, which it leaves open.</summary>
    Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel);

    Stream CreateDecompressionStream(Stream stream);
}
