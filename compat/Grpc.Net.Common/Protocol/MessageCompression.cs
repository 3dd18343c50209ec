using System.Buffers;
using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;

namespace Grpc.Net.Protocol;

/// <summary>Compresses and decompresses single messages.</summary>
internal static class MessageCompression
{
    public static readonly IReadOnlyList<ICompressionProvider> Defaults =
        [new GzipCompressionProvider(CompressionLevel.Fastest), new DeflateCompressionProvider(CompressionLevel.Fastest)];

    public static void Compress(
        ICompressionProvider provider, CompressionLevel? level, ReadOnlySpan<byte> payload, IBufferWriter<byte> output)
    {
        using var target = new BufferWriterStream(output);
        using var stream = provider.CreateCompressionStream(target, level);
        stream.Write(payload);
    }

    /// <summary>Fails as soon as more than <paramref name="limit"/> bytes come out, so that no bomb goes off.</summary>
    /// <exception cref="RpcException">INTERNAL for what is not in that encoding, RESOURCE_EXHAUSTED past the limit.</exception>
    public static PooledBufferWriter Decompress(ICompressionProvider provider, ReadOnlySequence<byte> payload, int? limit)
    {
        var output = new PooledBufferWriter((int)Math.Min(payload.Length * 4, limit ?? 1 << 20));
        try
        {
            using var source = new SequenceStream(payload);
            using var stream = provider.CreateDecompressionStream(source);
            while (stream.Read(output.GetSpan(1)) is var count and > 0)
            {
                output.Advance(count);
                if (output.WrittenCount > limit)
                {
                    throw new RpcException(MessageErrors.ReceivedTooLarge);
                }
            }

            return output;
        }
        catch (Exception e)
        {
            output.Dispose();
            if (e is InvalidDataException)
            {
                throw new RpcException(new Status(
                    StatusCode.Internal, $"Error decompressing message with encoding '{provider.EncodingName}'.", e));
            }

            throw;
        }
    }
}
