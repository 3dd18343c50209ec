using System.Buffers;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Serving;

/// <summary>
/// A <see cref="GetCandidatesResponse"/> as it goes over the wire, in rented memory. Dispose it once it is written; one
/// that is forgotten costs the pool a buffer, no more.
/// </summary>
internal sealed class RenderedResponse(byte[] rented, int length) : IDisposable
{
    private byte[]? _rented = rented;

    /// <summary>How many bytes it has.</summary>
    public int Length { get; } = length;

    /// <summary>The message's bytes.</summary>
    public ReadOnlySpan<byte> Bytes =>
        (_rented ?? throw new ObjectDisposedException(nameof(RenderedResponse))).AsSpan(0, Length);

    /// <summary>The same as an object.</summary>
    public GetCandidatesResponse ToMessage() => GetCandidatesResponse.Parser.ParseFrom(Bytes);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _rented, null) is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
