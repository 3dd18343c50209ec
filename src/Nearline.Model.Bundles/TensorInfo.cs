namespace Nearline.Model.Bundles;

/// <summary>What a safetensors file says of one tensor.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">The element type.</param>
/// <param name="Shape">The lengths of its dimensions, outermost first.</param>
/// <param name="Offset">Where its bytes begin in the file.</param>
/// <param name="ByteCount">How many they are.</param>
public sealed record TensorInfo(string Name, TensorKind Kind, IReadOnlyList<long> Shape, long Offset, long ByteCount)
{
    /// <summary>The number of elements.</summary>
    public long Count => ByteCount / TensorKinds.SizeOf(Kind);

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Kind} [{string.Join(", ", Shape)}]";
}
