using System.Runtime.InteropServices;
using Nearline.Model.Features;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// An <see cref="EncodedBatch"/> as tensors on a device. Shapes: U users, T tokens (behaviours and the little padding
/// of <see cref="SequenceLayout"/>), S sequences that are not empty, P (user, scenario) pairs.
/// </summary>
/// <remarks>Its tensors belong to the dispose scope in which it was made.</remarks>
internal sealed class BatchTensors
{
    private BatchTensors(SequenceLayout layout)
    {
        Layout = layout;
    }

    public SequenceLayout Layout { get; }

    /// <summary>Users, U.</summary>
    public int Users { get; private init; }

    /// <summary>Show rows; [PAD] where the layout pads: [T].</summary>
    public required Tensor Shows { get; init; }

    /// <summary>The same as an array.</summary>
    public required long[] ShowRows { get; init; }

    /// <summary>Subsidiary rows: [T, n_sub].</summary>
    public required Tensor Subsidiaries { get; init; }

    /// <summary>For each group that is padded, 1 for behaviours and 0 for padding: [count, length]; null for the others.</summary>
    public required IReadOnlyList<Tensor?> KeyMasks { get; init; }

    /// <summary>For each user and slot the row of its sequence, S for an empty one: [U * slots].</summary>
    public required Tensor SlotRows { get; init; }

    /// <summary>For each user the token of the latest watch, T without one: [U].</summary>
    public required Tensor LastWatch { get; init; }

    /// <summary>Rows of the narrow fields of all users: one a field, or several of a multi-hot one.</summary>
    public required Tensor Fields { get; init; }

    /// <summary>Where each user's fields begin: [U * fields].</summary>
    public required Tensor FieldStarts { get; init; }

    /// <summary>Tags of all users: [tags].</summary>
    public required Tensor Tags { get; init; }

    /// <summary>Their weights: [tags].</summary>
    public required Tensor TagWeights { get; init; }

    /// <summary>Where each user's tags begin: [U].</summary>
    public required Tensor TagStarts { get; init; }

    /// <summary>The pairs to mix for.</summary>
    public required ScenarioPairs Pairs { get; init; }

    /// <summary>Lays a batch out and copies it to a device.</summary>
    /// <param name="batch">The users.</param>
    /// <param name="pairUsers">The user of each pair.</param>
    /// <param name="pairScenarios">The scenario row of each pair.</param>
    /// <param name="scenarios">Scenarios of the model.</param>
    /// <param name="device">Where the model is.</param>
    public static BatchTensors From(
        EncodedBatch batch, ReadOnlySpan<int> pairUsers, ReadOnlySpan<int> pairScenarios, int scenarios, Device device)
    {
        var starts = CollectionsMarshal.AsSpan(batch.SequenceStarts);
        var lengths = new int[starts.Length - 1];
        for (var i = 0; i < lengths.Length; i++)
        {
            lengths[i] = starts[i + 1] - starts[i];
        }

        // Where nobody did anything, one padding token that no user refers to keeps every layer's shapes usual.
        var layout = SequenceLayout.Of(batch.Behaviours > 0 ? lengths : [.. lengths, 1]);
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

        var slotRows = new long[lengths.Length];
        for (var i = 0; i < lengths.Length; i++)
        {
            slotRows[i] = lengths[i] == 0 ? layout.Rows : layout.RowOfSequence[i];
        }

        return new BatchTensors(layout)
        {
            Users = batch.Count,
            Shows = Index(shows, device),
            ShowRows = shows,
            Subsidiaries = Index(subsidiaries, device).view(layout.Tokens, Features.Subsidiaries.Count),
            KeyMasks = [.. layout.Groups.Select(g => KeyMask(g, device))],
            SlotRows = Index(slotRows, device),
            LastWatch = Index(LastWatchTokens(batch, layout), device),
            Fields = Index(Widen(CollectionsMarshal.AsSpan(batch.Fields)), device),
            FieldStarts = Index(Widen(CollectionsMarshal.AsSpan(batch.FieldStarts)[..^1]), device),
            Tags = Index(Widen(CollectionsMarshal.AsSpan(batch.Tags)), device),
            TagWeights = tensor(batch.TagWeights.ToArray(), device: device),
            TagStarts = Index(Widen(CollectionsMarshal.AsSpan(batch.TagStarts)[..batch.Count]), device),
            Pairs = ScenarioPairs.Of(pairUsers, pairScenarios, batch.Count, scenarios, device),
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

    private static long[] LastWatchTokens(EncodedBatch batch, SequenceLayout layout)
    {
        var tokens = new long[batch.Count];
        for (var user = 0; user < tokens.Length; user++)
        {
            tokens[user] = layout.Tokens;
            for (var slot = 0; slot < SequenceSlots.Count && batch.LastWatch[user] >= 0; slot++)
            {
                var sequence = (user * SequenceSlots.Count) + slot;
                if (batch.LastWatch[user] >= batch.SequenceStarts[sequence] && batch.LastWatch[user] < batch.SequenceStarts[sequence + 1])
                {
                    tokens[user] = layout.FirstToken[sequence] + batch.LastWatch[user] - batch.SequenceStarts[sequence];
                }
            }
        }

        return tokens;
    }
}
