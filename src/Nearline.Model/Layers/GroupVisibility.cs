using Nearline.Model.Features;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// What sees what among the sequences of a layout's group, for models whose self-attention looks back only. Shapes: n
/// sequences of length L, V views of the user who has most.
/// </summary>
internal sealed class GroupVisibility
{
    private const float Hidden = -1e9f;

    private GroupVisibility(int views)
    {
        Views = views;
    }

    /// <summary>Views of a sequence in the pooled rows, V.</summary>
    public int Views { get; }

    /// <summary>0 where a behaviour sees another, else a large negative number: [n, 1, L, L].</summary>
    public required Tensor Attention { get; init; }

    /// <summary>Buckets of the time between two behaviours: [n, L, L].</summary>
    public required Tensor Gaps { get; init; }

    /// <summary>Buckets of the places between two behaviours: [L, L].</summary>
    public required Tensor Distances { get; init; }

    /// <summary>1 where a view sees a behaviour, else 0: [n, V, L].</summary>
    public required Tensor Seen { get; init; }

    /// <summary>Buckets of the time from a behaviour to a view: [n, V, L].</summary>
    public required Tensor Ages { get; init; }

    /// <summary>Behaviours that a view sees after a behaviour: [n, V, L].</summary>
    public required Tensor Positions { get; init; }

    /// <summary>The visibility of every group.</summary>
    /// <param name="batch">The users and their views.</param>
    /// <param name="layout">The layout of their sequences.</param>
    /// <param name="longest">A view sees this many behaviours of a sequence, the newest.</param>
    /// <param name="device">Where the model is.</param>
    public static GroupVisibility[] Of(EncodedBatch batch, SequenceLayout layout, int longest, Device device)
    {
        var sequenceOfRow = new int[layout.Rows];
        Array.Fill(sequenceOfRow, -1);
        for (var s = 0; s < batch.SequenceStarts.Count - 1; s++)
        {
            if (layout.RowOfSequence[s] >= 0)
            {
                sequenceOfRow[layout.RowOfSequence[s]] = s;
            }
        }

        var groups = new GroupVisibility[layout.Groups.Count];
        for (int g = 0, row = 0; g < groups.Length; row += layout.Groups[g].Count, g++)
        {
            groups[g] = Of(batch, layout.Groups[g], sequenceOfRow.AsSpan(row, layout.Groups[g].Count), longest, device);
        }

        return groups;
    }

    private static GroupVisibility Of(EncodedBatch batch, SequenceGroup group, ReadOnlySpan<int> sequences, int longest, Device device)
    {
        var (count, length) = (group.Count, group.Length);
        var views = 1;
        foreach (var sequence in sequences)
        {
            var user = sequence / SequenceSlots.Count;
            views = sequence < 0 ? views : Math.Max(views, batch.ViewStarts[user + 1] - batch.ViewStarts[user]);
        }

        var attention = new float[count * length * length];
        var gaps = new long[attention.Length];
        var seen = new float[count * views * length];
        var ages = new long[seen.Length];
        var positions = new long[seen.Length];
        Array.Fill(attention, Hidden);
        for (var r = 0; r < count; r++)
        {
            for (var k = 0; k < length; k++)
            {
                // Padding sees itself, so that its softmax is of something.
                attention[(((r * length) + k) * length) + k] = 0;
            }

            if (sequences[r] >= 0)
            {
                var first = batch.SequenceStarts[sequences[r]];
                var square = r * length * length;
                Pairs(batch, first, group.Lengths[r], length, longest, attention.AsSpan(square), gaps.AsSpan(square));
                var user = sequences[r] / SequenceSlots.Count;
                for (var view = batch.ViewStarts[user]; view < batch.ViewStarts[user + 1]; view++)
                {
                    var at = ((r * views) + view - batch.ViewStarts[user]) * length;
                    View(batch, view, first, group.Lengths[r], longest, seen.AsSpan(at), ages.AsSpan(at), positions.AsSpan(at));
                }
            }
        }

        var distances = new long[length * length];
        for (var i = 0; i < distances.Length; i++)
        {
            distances[i] = Buckets.Distance(Math.Abs((i / length) - (i % length)));
        }

        return new GroupVisibility(views)
        {
            Attention = tensor(attention, device: device).view(count, 1, length, length),
            Gaps = BatchTensors.Index(gaps, device).view(count, length, length),
            Distances = BatchTensors.Index(distances, device).view(length, length),
            Seen = tensor(seen, device: device).view(count, views, length),
            Ages = BatchTensors.Index(ages, device).view(count, views, length),
            Positions = BatchTensors.Index(positions, device).view(count, views, length),
        };
    }

    private static void Pairs(
        EncodedBatch batch, int first, int tokens, int length, int longest, Span<float> attention, Span<long> gaps)
    {
        for (var k = 0; k < tokens; k++)
        {
            var (from, time) = (batch.From[first + k], batch.Times[first + k]);
            for (var j = 0; j <= k; j++)
            {
                var gap = Buckets.Elapsed(TimeSpan.FromTicks(Math.Abs(time - batch.Times[first + j])));
                gaps[(k * length) + j] = gap;
                gaps[(j * length) + k] = gap;
                if (batch.Until[first + j] > from && k - j < longest)
                {
                    attention[(k * length) + j] = 0;
                }
            }
        }
    }

    private static void View(
        EncodedBatch batch, int view, int first, int tokens, int longest, Span<float> seen, Span<long> ages, Span<long> positions)
    {
        var (at, now, position) = (batch.ViewAt[view], batch.ViewTimes[view], 0);
        for (var j = tokens - 1; j >= 0 && position < longest; j--)
        {
            if (batch.From[first + j] < at && batch.Until[first + j] >= at)
            {
                seen[j] = 1;
                ages[j] = Buckets.Elapsed(TimeSpan.FromTicks(Math.Max(0, now - batch.Times[first + j])));
                positions[j] = position++;
            }
        }
    }
}
