using System.Runtime.InteropServices;
using Nearline.Model.Features;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// An <see cref="EncodedBatch"/> as tensors on a device. Shapes: U views of users (at serving one a user), T tokens
/// (behaviours and the little padding of <see cref="SequenceLayout"/>), P (view, scenario) pairs.
/// </summary>
/// <remarks>Its tensors belong to the dispose scope in which it was made.</remarks>
internal sealed class BatchTensors
{
    private BatchTensors(SequenceLayout layout)
    {
        Layout = layout;
    }

    public SequenceLayout Layout { get; }

    /// <summary>Views, U.</summary>
    public int Views { get; private init; }

    /// <summary>Show rows, those past the tables being of live shows; [PAD] where the layout pads: [T].</summary>
    public required Tensor Shows { get; init; }

    /// <summary>The same as an array.</summary>
    public required long[] ShowRows { get; init; }

    /// <summary>Rows of live shows; null: none is past the tables.</summary>
    public LiveRows? Live { get; private init; }

    /// <summary>Subsidiary rows: [T, n_sub].</summary>
    public required Tensor Subsidiaries { get; init; }

    /// <summary>For each group that is padded, 1 for behaviours and 0 for padding: [count, length]; null for the others.</summary>
    public required IReadOnlyList<Tensor?> KeyMasks { get; init; }

    /// <summary>For each group what sees what, for models that look back only; null for the others.</summary>
    public IReadOnlyList<GroupVisibility>? Visibility { get; private init; }

    /// <summary>
    /// For each view and slot the row of its pooled sequence, the last row for an empty one: [U * slots]. The rows are
    /// group by group, sequence by sequence, view by view.
    /// </summary>
    public required Tensor SlotRows { get; init; }

    /// <summary>For each view the token of the latest watch, T without one: [U].</summary>
    public required Tensor LastWatch { get; init; }

    /// <summary>Rows of the narrow fields of all views: one a field, or several of a multi-hot one.</summary>
    public required Tensor Fields { get; init; }

    /// <summary>Where each view's fields begin: [U * fields].</summary>
    public required Tensor FieldStarts { get; init; }

    /// <summary>Tags of all views: [tags].</summary>
    public required Tensor Tags { get; init; }

    /// <summary>Their weights: [tags].</summary>
    public required Tensor TagWeights { get; init; }

    /// <summary>Where each view's tags begin: [U].</summary>
    public required Tensor TagStarts { get; init; }

    /// <summary>The pairs to mix for.</summary>
    public required ScenarioPairs Pairs { get; init; }

    /// <summary>Lays a batch out and copies it to a device.</summary>
    /// <param name="batch">The users and their views.</param>
    /// <param name="pairViews">The view of each pair.</param>
    /// <param name="pairScenarios">The scenario row of each pair.</param>
    /// <param name="scenarios">Scenarios of the model.</param>
    /// <param name="device">Where the model is.</param>
    /// <param name="lookBack">
    /// The longest sequence of a model whose self-attention looks back only; 0: it looks both ways, and a user has one view.
    /// </param>
    /// <param name="live">Rows of the live shows that the batch was encoded with, on the device; null: none.</param>
    public static BatchTensors From(
        EncodedBatch batch,
        ReadOnlySpan<int> pairViews,
        ReadOnlySpan<int> pairScenarios,
        int scenarios,
        Device device,
        int lookBack = 0,
        LiveRows? live = null)
    {
        if (lookBack == 0 && batch.Users != batch.Count)
        {
            throw new ArgumentException($"batch: {batch.Count} views of {batch.Users} users; only models that look back have several a user", nameof(batch));
        }

        var starts = CollectionsMarshal.AsSpan(batch.SequenceStarts);
        var lengths = new int[starts.Length - 1];
        for (var i = 0; i < lengths.Length; i++)
        {
            lengths[i] = starts[i + 1] - starts[i];
        }

        // Where nobody did anything, one padding token that no user refers to keeps every layer's shapes usual.
        // Looking back takes tensors of a group's length squared: there padding costs more than kernels.
        var isOnDevice = device.type != DeviceType.CPU && lookBack == 0;
        var layout = SequenceLayout.Of(batch.Behaviours > 0 ? lengths : [.. lengths, 1], isOnDevice);
        var shows = new long[layout.Tokens];
        var subsidiaries = new long[layout.Tokens * Features.Subsidiaries.Count];
        for (var i = 0; i < lengths.Length; i++)
        {
            var (from, to, length) = (starts[i], layout.FirstToken[i], lengths[i]);
            for (var j = 0; j < length; j++)
            {
                shows[to + j] = batch.Shows[from + j];
            }

            for (var j = 0; j < length * Features.Subsidiaries.Count; j++)
            {
                subsidiaries[(to * Features.Subsidiaries.Count) + j] = batch.Subsidiaries[(from * Features.Subsidiaries.Count) + j];
            }
        }

        var visibility = lookBack > 0 ? GroupVisibility.Of(batch, layout, lookBack, device) : null;
        return new BatchTensors(layout)
        {
            Views = batch.Count,
            Visibility = visibility,
            Live = live,
            Shows = Index(shows, device),
            ShowRows = shows,
            Subsidiaries = Index(subsidiaries, device).view(layout.Tokens, Features.Subsidiaries.Count),
            KeyMasks = [.. layout.Groups.Select(g => KeyMask(g, device))],
            SlotRows = Index(SlotRowsOf(batch, layout, visibility), device),
            LastWatch = Index(LastWatchTokens(batch, layout), device),
            Fields = Index(Widen(CollectionsMarshal.AsSpan(batch.Fields)), device),
            FieldStarts = Index(Widen(CollectionsMarshal.AsSpan(batch.FieldStarts)[..^1]), device),
            Tags = Index(Widen(CollectionsMarshal.AsSpan(batch.Tags)), device),
            TagWeights = tensor(batch.TagWeights.ToArray(), device: device),
            TagStarts = Index(Widen(CollectionsMarshal.AsSpan(batch.TagStarts)[..batch.Count]), device),
            Pairs = ScenarioPairs.Of(pairViews, pairScenarios, batch.Count, scenarios, device),
        };
    }

    /// <summary>An index tensor of 64-bit integers.</summary>
    internal static Tensor Index(long[] values, Device device) => tensor(values, device: device);

    private static long[] Widen(ReadOnlySpan<int> values)
    {
        var wide = new long[values.Length];
        for (var i = 0; i < wide.Length; i++)
        {
            wide[i] = values[i];
        }

        return wide;
    }

    private static Tensor? KeyMask(SequenceGroup group, Device device)
    {
        if (!group.IsPadded)
        {
            return null;
        }

        var mask = new float[group.Count * group.Length];
        for (var r = 0; r < group.Count; r++)
        {
            mask.AsSpan(r * group.Length, group.Lengths[r]).Fill(1);
        }

        return tensor(mask, device: device).view(group.Count, group.Length);
    }

    private static long[] SlotRowsOf(EncodedBatch batch, SequenceLayout layout, IReadOnlyList<GroupVisibility>? visibility)
    {
        // Where the pooled rows of each layout row begin: one a sequence, or as many as its group has views.
        var starts = new long[layout.Rows + 1];
        for (int g = 0, row = 0; g < layout.Groups.Count; g++)
        {
            for (var r = 0; r < layout.Groups[g].Count; r++, row++)
            {
                starts[row + 1] = starts[row] + (visibility?[g].Views ?? 1);
            }
        }

        var rows = new long[batch.Count * SequenceSlots.Count];
        for (var user = 0; user < batch.Users; user++)
        {
            for (var view = batch.ViewStarts[user]; view < batch.ViewStarts[user + 1]; view++)
            {
                for (var slot = 0; slot < SequenceSlots.Count; slot++)
                {
                    var row = layout.RowOfSequence[(user * SequenceSlots.Count) + slot];
                    rows[(view * SequenceSlots.Count) + slot] = row < 0 || !SeesAny(batch, user, slot, view)
                        ? starts[^1]
                        : starts[row] + view - batch.ViewStarts[user];
                }
            }
        }

        return rows;
    }

    private static bool SeesAny(EncodedBatch batch, int user, int slot, int view)
    {
        var sequence = (user * SequenceSlots.Count) + slot;
        for (var j = batch.SequenceStarts[sequence]; j < batch.SequenceStarts[sequence + 1] && batch.From[j] < batch.ViewAt[view]; j++)
        {
            if (batch.Until[j] >= batch.ViewAt[view])
            {
                return true;
            }
        }

        return false;
    }

    private static long[] LastWatchTokens(EncodedBatch batch, SequenceLayout layout)
    {
        var tokens = new long[batch.Count];
        Array.Fill(tokens, layout.Tokens);
        for (var user = 0; user < batch.Users; user++)
        {
            for (var view = batch.ViewStarts[user]; view < batch.ViewStarts[user + 1]; view++)
            {
                var last = batch.LastWatch[view];
                for (var slot = 0; slot < SequenceSlots.Count && last >= 0; slot++)
                {
                    var sequence = (user * SequenceSlots.Count) + slot;
                    if (last >= batch.SequenceStarts[sequence] && last < batch.SequenceStarts[sequence + 1])
                    {
                        tokens[view] = layout.FirstToken[sequence] + last - batch.SequenceStarts[sequence];
                    }
                }
            }
        }

        return tokens;
    }
}
