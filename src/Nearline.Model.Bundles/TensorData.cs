using System.Runtime.InteropServices;

namespace Nearline.Model.Bundles;

/// <summary>A named tensor to be written: row-major elements as little-endian bytes.</summary>
public sealed class TensorData
{
    private TensorData(string name, TensorKind kind, long[] shape, ReadOnlyMemory<byte> bytes)
    {
        (Name, Kind, Shape, Bytes) = (name, kind, shape, bytes);
    }

    /// <summary>Its name in the file.</summary>
    public string Name { get; }

    /// <summary>The element type.</summary>
    public TensorKind Kind { get; }

    /// <summary>The lengths of its dimensions, outermost first; none for a scalar.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The elements.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>A tensor of float, Half, long, int or byte elements, which are copied.</summary>
    /// <param name="name">Its name: not empty, not <c>__metadata__</c>.</param>
    /// <param name="values">The elements, row-major.</param>
    /// <param name="shape">The lengths of its dimensions; their product is the number of elements.</param>
    public static TensorData Of<T>(string name, ReadOnlySpan<T> values, params ReadOnlySpan<long> shape)
        where T : unmanaged =>
        Raw(name, TensorKinds.Of<T>(), MemoryMarshal.AsBytes(values).ToArray(), shape);

    /// <summary>A tensor of given bytes, which are not copied.</summary>
    /// <exception cref="ArgumentException">Name or shape do not do, or the bytes do not fit the shape.</exception>
    public static TensorData Raw(
        string name, TensorKind kind, ReadOnlyMemory<byte> bytes, params ReadOnlySpan<long> shape)
    {
        if (string.IsNullOrEmpty(name) || name == SafeTensorsHeader.MetadataName)
        {
            throw new ArgumentException(
                $"name: '{name}': must not be empty or {SafeTensorsHeader.MetadataName}", nameof(name));
        }

        var given = shape.ToArray();
        if (SafeTensorsHeader.ByteCount(kind, given) is not { } wanted)
        {
            throw new ArgumentException(
                $"tensor '{name}': shape [{string.Join(", ", given)}]: must be of lengths from 0, within 2^63 bytes", nameof(shape));
        }

        return wanted == bytes.Length
            ? new TensorData(name, kind, given, bytes)
            : throw new ArgumentException(
                $"tensor '{name}': {bytes.Length} bytes; {kind} [{string.Join(", ", given)}] needs {wanted}", nameof(bytes));
    }
}
