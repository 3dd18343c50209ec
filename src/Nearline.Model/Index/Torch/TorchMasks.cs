using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Index;

/// <summary>
/// The masks of some queries on a device, a bit a row; each distinct one is there once, however many queries have it.
/// Lives as long as the dispose scope that it was made in.
/// </summary>
internal sealed class TorchMasks
{
    private const int ByteBits = 8;

    private readonly Tensor bytes;
    private readonly Tensor bits;
    private readonly Tensor? maskOf;

    private TorchMasks(Tensor bytes, Tensor bits, Tensor? maskOf) => (this.bytes, this.bits, this.maskOf) = (bytes, bits, maskOf);

    /// <summary>How many different masks there are.</summary>
    public long Distinct => bytes.shape[0];

    /// <summary>Uploads masks.</summary>
    /// <param name="masks">A query's each, null for all rows.</param>
    /// <param name="count">Rows of the index.</param>
    /// <param name="device">Where to.</param>
    /// <returns>Null where every query is allowed every row.</returns>
    public static TorchMasks? Upload(IReadOnlyList<ItemMask?> masks, int count, Device device)
    {
        if (masks.All(m => m is null))
        {
            return null;
        }

        var places = new Dictionary<object, long>(ReferenceEqualityComparer.Instance);
        var distinct = new List<ItemMask>();
        var all = new Lazy<ItemMask>(() => ItemMask.All(count));
        var ofQuery = new long[masks.Count];
        for (var query = 0; query < ofQuery.Length; query++)
        {
            var mask = masks[query] ?? all.Value;
            if (!places.TryGetValue(mask, out ofQuery[query]))
            {
                places[mask] = ofQuery[query] = distinct.Count;
                distinct.Add(mask);
            }
        }

        var width = distinct[0].Words.Length * sizeof(ulong);
        var packed = new byte[distinct.Count * (long)width];
        for (var mask = 0; mask < distinct.Count; mask++)
        {
            MemoryMarshal.AsBytes(distinct[mask].Words).CopyTo(packed.AsSpan(mask * width));
        }

        return new TorchMasks(
            tensor(packed, [distinct.Count, width], device: device),
            tensor(new byte[] { 1, 2, 4, 8, 16, 32, 64, 128 }, [ByteBits], device: device),
            distinct.Count == ofQuery.Length ? null : tensor(ofQuery, [ofQuery.Length], device: device));
    }

    /// <summary>Whether a row is kept from a query, bool [queries, count].</summary>
    /// <param name="first">The first row, a multiple of 8.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="query">Of one query alone, [1, count]; null: of all.</param>
    public Tensor Forbidden(int first, int count, int? query = null)
    {
        var part = bytes.narrow(1, first / ByteBits, (count + ByteBits - 1) / ByteBits);
        if (query is { } one)
        {
            part = maskOf is null ? part.narrow(0, one, 1) : part.index_select(0, maskOf.narrow(0, one, 1));
        }

        var forbidden = part.unsqueeze(-1).bitwise_and(bits).eq(0).view(part.shape[0], -1).narrow(1, 0, count);
        return query is null && maskOf is not null ? forbidden.index_select(0, maskOf) : forbidden;
    }
}
