using System.Buffers;
using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Index;

/// <summary>
/// Exact maximum inner product search on torch's device: matrix product and topk, tile by tile. What a device computes
/// only proposes rows; the fp32 kernel of <see cref="ExactIndex"/> scores them. A query for which rows that were not
/// proposed might belong to the best, by the bound of <see cref="TorchError"/>, gets every row that might: results are
/// those of <see cref="ExactIndex"/>, bit for bit. docs/index.md says what that rests on.
/// </summary>
/// <remarks>
/// On the device are the rows in fp32, and while it searches at most 64 MB of scores and the masks of as many queries;
/// the rows are in the host's memory too, for scores.
/// </remarks>
public sealed class TorchIndex : IItemIndex
{
    private readonly FloatRows floats;
    private readonly TorchError error;
    private readonly TorchSettings settings;
    private readonly Device device;
    private readonly Tensor[] tiles;
    private readonly ConcurrentBag<Rescoring> rescorings = [];
    private long secondPasses;
    private bool isDisposed;

    /// <summary>Copies a matrix.</summary>
    /// <param name="rows">[count, dimension], row-major, finite; count may be 0.</param>
    /// <param name="dimension">From one.</param>
    /// <param name="device">"cpu", "cuda", or "auto": cuda where there is one.</param>
    /// <exception cref="ArgumentException">The length is no multiple of the dimension, a value is not finite, or there is no such device.</exception>
    /// <exception cref="InvalidOperationException">The device multiplies with less than fp32.</exception>
    public TorchIndex(ReadOnlySpan<float> rows, int dimension, string device = "auto")
        : this(rows, dimension, Devices.Of(device), new TorchSettings())
    {
    }

    internal TorchIndex(ReadOnlySpan<float> rows, int dimension, Device device, TorchSettings settings)
    {
        var count = SearchInput.CountRows(rows, dimension);
        (this.device, this.settings) = (device, settings);
        floats = new FloatRows(count, dimension);
        var longest = 0.0;
        for (var row = 0; row < count; row++)
        {
            var values = rows.Slice(row * dimension, dimension);
            SearchInput.CheckRow(row, values);
            values.CopyTo(floats[row]);
            longest = Math.Max(longest, TorchError.Norm(values));
        }

        TorchPrecision.Check(device, (x, y) => x.matmul(y));
        error = new TorchError(dimension, floats.Roundings, longest);
        tiles = new Tensor[(int)(((long)count + settings.TileRows - 1) / settings.TileRows)];
        try
        {
            using var gradient = no_grad();
            for (var tile = 0; tile < tiles.Length; tile++)
            {
                using var scope = NewDisposeScope();
                var size = RowsOf(tile);
                var values = rows.Slice(tile * settings.TileRows * dimension, size * dimension).ToArray();
                tiles[tile] = tensor(values, [size, dimension], device: device).DetachFromDisposeScope();
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Backend => "exact-torch";

    /// <inheritdoc/>
    public int Count => floats.Count;

    /// <inheritdoc/>
    public int Dimension => floats.Dimension;

    /// <inheritdoc/>
    public long MemoryBytes => floats.MemoryBytes + (sizeof(float) * (long)Count * Dimension);

    /// <summary>Queries, since this was made, for which what topk proposed did not suffice.</summary>
    internal long SecondPasses => Interlocked.Read(ref secondPasses);

    /// <inheritdoc/>
    public ReadOnlySpan<float> Row(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Count);
        return floats[row];
    }

    /// <inheritdoc/>
    public SearchResult[] Search(ReadOnlySpan<float> queries, int limit, IReadOnlyList<ItemMask?> masks)
    {
        SearchInput.Check(queries, limit, masks, Count, Dimension);
        ObjectDisposedException.ThrowIf(isDisposed, this);
        var results = new SearchResult[queries.Length / Dimension];
        limit = Math.Min(limit, Math.Max(1, Count));
        var (onHost, onDevice) = (new List<TorchQuery>(), new List<TorchQuery>());
        for (var i = 0; i < results.Length; i++)
        {
            var query = new TorchQuery(i, queries.Slice(i * Dimension, Dimension), floats.Stride, masks.Count == 0 ? null : masks[i]);
            var isFew = (query.Mask?.Count ?? Count) <= (settings.FewRows == 0 ? 0 : Math.Max(2 * limit, settings.FewRows));
            (isFew || !error.IsInRange(query.Norm) ? onHost : onDevice).Add(query);
        }

        for (var from = 0; from < onDevice.Count; from += settings.TileQueries)
        {
            SearchOnDevice(onDevice.GetRange(from, Math.Min(settings.TileQueries, onDevice.Count - from)), limit, results);
        }

        Share(onHost.Count, (i, rescoring) => results[onHost[i].Place] = rescoring.Best(onHost[i].Values, onHost[i].Allowed(Count), limit));
        return results;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        isDisposed = true;
        foreach (var tile in tiles)
        {
            tile?.Dispose();
        }
    }

    private int RowsOf(int tile) => Math.Min(settings.TileRows, Count - (tile * settings.TileRows));

    private void SearchOnDevice(List<TorchQuery> queries, int limit, SearchResult[] results)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var together = new float[queries.Count * Dimension];
        for (var i = 0; i < queries.Count; i++)
        {
            queries[i].Values.AsSpan(0, Dimension).CopyTo(together.AsSpan(i * Dimension));
        }

        var values = tensor(together, [queries.Count, Dimension], device: device);
        var masks = TorchMasks.Upload([.. queries.Select(q => q.Mask)], Count, device);
        var (scores, rows) = Propose(values, masks, Math.Min(limit + settings.Spare, Count));
        var proposed = (int)scores.shape[1];

        // Lent, not new: arrays of this size would have the collector go over the whole heap every few searches.
        var allScores = ArrayPool<float>.Shared.Rent(queries.Count * proposed);
        var allRows = ArrayPool<long>.Shared.Rent(queries.Count * proposed);
        scores.cpu().data<float>().CopyTo(allScores);
        rows.cpu().data<long>().CopyTo(allRows);
        var isShort = new bool[queries.Count];
        Share(queries.Count, (i, rescoring) =>
        {
            var query = queries[i];
            var own = allScores.AsSpan(i * proposed, proposed);
            var candidates = new int[proposed];
            var (count, least) = (0, float.PositiveInfinity);
            for (var c = 0; c < proposed; c++)
            {
                // Products are in range: only what a mask forbids has this score.
                if (own[c] > float.NegativeInfinity)
                {
                    candidates[count++] = (int)allRows[(i * proposed) + c];
                    least = Math.Min(least, own[c]);
                }
            }

            var best = rescoring.Best(query.Values, candidates.AsSpan(0, count), limit);
            results[query.Place] = best;

            // What was not proposed has a score on the device of at most `least`.
            isShort[i] = count == proposed && proposed < Count && !(best.Scores[^1] - error.Bound(query.Norm) > least);
        });
        ArrayPool<float>.Shared.Return(allScores);
        ArrayPool<long>.Shared.Return(allRows);
        for (var i = 0; i < queries.Count; i++)
        {
            if (isShort[i])
            {
                var query = queries[i];
                Interlocked.Increment(ref secondPasses);
                var all = AtLeast(values.narrow(0, i, 1), masks, i, results[query.Place].Scores[^1] - error.Bound(query.Norm));
                Share(1, (_, rescoring) => results[query.Place] = rescoring.Best(query.Values, all, limit));
            }
        }
    }

    /// <summary>The rows of the highest scores, in no order: scores and rows, [queries, wanted].</summary>
    private (Tensor Scores, Tensor Rows) Propose(Tensor queries, TorchMasks? masks, int wanted)
    {
        Tensor? bestScores = null, bestRows = null;
        for (var tile = 0; tile < tiles.Length; tile++)
        {
            using var scope = NewDisposeScope();
            var all = Scores(queries, tile, masks?.Forbidden(tile * settings.TileRows, RowsOf(tile)));
            var (scores, rows) = all.topk(Math.Min(wanted, RowsOf(tile)), 1, largest: true, sorted: false);
            rows = rows.add(tile * settings.TileRows);
            if (bestScores is not null)
            {
                (scores, rows) = (cat([bestScores, scores], 1), cat([bestRows!, rows], 1));
                if (scores.shape[1] > wanted)
                {
                    (scores, var places) = scores.topk(wanted, 1, largest: true, sorted: false);
                    rows = rows.gather(1, places);
                }

                bestScores.Dispose();
                bestRows!.Dispose();
            }

            (bestScores, bestRows) = (scores.MoveToOuterDisposeScope(), rows.MoveToOuterDisposeScope());
        }

        return (bestScores!, bestRows!);
    }

    /// <summary>Every row that a query is allowed and whose score on the device reaches a threshold.</summary>
    private int[] AtLeast(Tensor query, TorchMasks? masks, int place, double threshold)
    {
        var found = new List<int>();
        for (var tile = 0; tile < tiles.Length; tile++)
        {
            using var scope = NewDisposeScope();
            var first = tile * settings.TileRows;
            var scores = Scores(query, tile, masks?.Forbidden(first, RowsOf(tile), place));

            // The cast may round up by half a unit; one step down is below the threshold either way.
            var rows = scores.view(-1).ge(MathF.BitDecrement((float)threshold)).nonzero().view(-1);
            foreach (var row in rows.cpu().data<long>())
            {
                found.Add((int)(first + row));
            }
        }

        return [.. found];
    }

    private Tensor Scores(Tensor queries, int tile, Tensor? forbidden)
    {
        var scores = queries.matmul(tiles[tile].t());
        return forbidden is null ? scores : scores.masked_fill_(forbidden, double.NegativeInfinity);
    }

    /// <summary>
    /// Scores on the host what is left to score, a query a part, on several threads where there are several: a device is
    /// done with a batch in the time that one thread scores a few queries' candidates.
    /// </summary>
    private void Share(int count, Action<int, Rescoring> part)
    {
        Rescoring Take() => rescorings.TryTake(out var kept) ? kept : new Rescoring(floats);
        if (count < settings.SharedFrom)
        {
            var rescoring = Take();
            for (var i = 0; i < count; i++)
            {
                part(i, rescoring);
            }

            rescorings.Add(rescoring);
            return;
        }

        Parallel.For(
            0,
            count,
            new ParallelOptions { MaxDegreeOfParallelism = settings.Threads },
            Take,
            (i, _, rescoring) =>
            {
                part(i, rescoring);
                return rescoring;
            },
            rescorings.Add);
    }
}
