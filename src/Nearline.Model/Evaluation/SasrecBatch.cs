using Nearline.Model.Layers;
using static TorchSharp.torch;

namespace Nearline.Model.Evaluation;

/// <summary>
/// Sequences of show rows as tensors, grouped by length; T tokens, the little padding of <see cref="SequenceLayout"/>
/// included. Padding comes after a sequence's last show, where a causal encoder's real tokens do not see it.
/// </summary>
/// <remarks>Its tensors belong to the dispose scope in which it was made.</remarks>
internal sealed class SasrecBatch
{
    private SasrecBatch(SequenceLayout layout, Tensor shows, Tensor positions, int[] lengths) =>
        (Layout, Shows, Positions, Lengths) = (layout, shows, positions, lengths);

    /// <summary>Where the sequences lie.</summary>
    public SequenceLayout Layout { get; }

    /// <summary>Show rows; 0 where the layout pads: [T].</summary>
    public Tensor Shows { get; }

    /// <summary>Distances to the sequence's last show, which has 0: [T].</summary>
    public Tensor Positions { get; }

    /// <summary>The length of each sequence.</summary>
    public int[] Lengths { get; }

    /// <summary>Lays sequences out, none of them empty, and copies them to a device.</summary>
    public static SasrecBatch Of(IReadOnlyList<ArraySegment<int>> sequences, Device device)
    {
        int[] lengths = [.. sequences.Select(s => s.Count)];
        var layout = SequenceLayout.Of(lengths);
        var shows = new long[layout.Tokens];
        var positions = new long[layout.Tokens];
        for (var i = 0; i < lengths.Length; i++)
        {
            for (var j = 0; j < lengths[i]; j++)
            {
                shows[layout.FirstToken[i] + j] = sequences[i][j];
                positions[layout.FirstToken[i] + j] = lengths[i] - 1 - j;
            }
        }

        return new SasrecBatch(layout, tensor(shows, device: device), tensor(positions, device: device), lengths);
    }

    /// <summary>The token of each sequence's last show.</summary>
    public long[] LastTokens() => [.. Lengths.Select((length, i) => (long)Layout.FirstToken[i] + length - 1)];

    /// <summary>The tokens of all shows, sequence after sequence.</summary>
    public long[] Tokens() =>
        [.. Lengths.SelectMany((length, i) => Enumerable.Range(Layout.FirstToken[i], length)).Select(token => (long)token)];
}
