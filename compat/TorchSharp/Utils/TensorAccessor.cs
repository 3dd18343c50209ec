using System.Collections;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace TorchSharp.Utils;

/// <summary>Reads and writes the elements of a CPU tensor in place; it keeps the tensor object alive.</summary>
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T> where T : unmanaged
{
    private readonly Tensor tensor;
    private readonly T* start;
    private readonly long[] shape;
    private readonly long[] strides;
    private readonly bool contiguous;

    internal TensorAccessor(Tensor tensor)
    {
        if (tensor.device_type != DeviceType.CPU)
        {
            throw new InvalidOperationException($"Reading data from non-CPU memory is not supported; the tensor is on {tensor.device}. Move or copy it to the CPU first.");
        }

        CheckType(tensor);
        this.tensor = tensor;
        start = (T*)tensor.Data;
        shape = tensor.shape;
        strides = tensor.stride();
        contiguous = tensor.is_contiguous();
        Count = tensor.numel();
    }

    public long Count { get; }

    public bool IsReadOnly => false;

    public T this[params long[] indices]
    {
        get => *Address(indices);
        set => *Address(indices) = value;
    }

    public T[] ToArray()
    {
        var result = new T[Count];
        CopyTo(result);
        return result;
    }

    /// <summary>A copy with the tensor's shape.</summary>
    public Array ToNDArray()
    {
        if (shape.Length == 0)
        {
            return ToArray();
        }

        var result = Array.CreateInstance(typeof(T), shape);
        var flat = ToArray();
        if (flat.Length > 0)
        {
            fixed (T* from = flat)
            {
                fixed (byte* to = &System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(result))
                {
                    Buffer.MemoryCopy(from, to, Count * sizeof(T), Count * sizeof(T));
                }
            }
        }

        return result;
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyTo(array.AsSpan(), arrayIndex, tensorIndex);

    /// <summary>Copies elements, in row-major order from <paramref name="tensorIndex"/>, until either side ends.</summary>
    public void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var target = array[arrayIndex..];
        var n = (int)Math.Min(target.Length, Count - tensorIndex);
        if (contiguous)
        {
            new ReadOnlySpan<T>(start + tensorIndex, n).CopyTo(target);
        }
        else
        {
            for (var k = 0; k < n; k++)
            {
                target[k] = At(tensorIndex + k);
            }
        }

        GC.KeepAlive(tensor);
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyFrom(new ReadOnlySpan<T>(array), arrayIndex, tensorIndex);

    public void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var source = array[arrayIndex..];
        var n = (int)Math.Min(source.Length, Count - tensorIndex);
        if (contiguous)
        {
            source[..n].CopyTo(new Span<T>(start + tensorIndex, n));
        }
        else
        {
            for (var k = 0; k < n; k++)
            {
                start[Offset(tensorIndex + k)] = source[k];
            }
        }

        GC.KeepAlive(tensor);
    }

    public IEnumerator<T> GetEnumerator()
    {
        for (long k = 0; k < Count; k++)
        {
            yield return At(k);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose()
    {
    }

    public override bool Equals(object? obj) =>
        obj is TensorAccessor<T> other && (ReferenceEquals(this, other) || (Count == other.Count && this.SequenceEqual(other)));

    public override int GetHashCode() => RuntimeHelpers.GetHashCode(tensor);

    public static bool operator ==(TensorAccessor<T>? left, TensorAccessor<T>? right) => left is null ? right is null : left.Equals(right);

    public static bool operator !=(TensorAccessor<T>? left, TensorAccessor<T>? right) => !(left == right);

    /// <summary>The element at a row-major position.</summary>
    internal T At(long position) => position >= 0 && position < Count
        ? start[contiguous ? position : Offset(position)]
        : throw new IndexOutOfRangeException($"element {position} of a tensor of {Count}");

    internal static void CheckType(Tensor tensor)
    {
        var wanted = typeof(T);
        var fits = tensor.dtype switch
        {
            ScalarType.Byte => wanted == typeof(byte),
            ScalarType.Int8 => wanted == typeof(sbyte),
            ScalarType.Int16 => wanted == typeof(short),
            ScalarType.Int32 => wanted == typeof(int),
            ScalarType.Int64 => wanted == typeof(long),
            ScalarType.Bool => wanted == typeof(bool),
            ScalarType.Float32 => wanted == typeof(float),
            ScalarType.Float64 => wanted == typeof(double),
            ScalarType.Float16 => wanted == typeof(Half),
            ScalarType.BFloat16 => wanted == typeof(ushort) || wanted == typeof(short),
            _ => false,
        };
        if (!fits)
        {
            throw new ArgumentException($"A tensor of type {tensor.dtype} cannot be read as {wanted.Name}; convert it with to_type first.");
        }
    }

    private T* Address(long[] indices)
    {
        if (indices.Length == 1 && shape.Length != 1)
        {
            // One index addresses the elements in row-major order.
            return indices[0] >= 0 && indices[0] < Count
                ? start + Offset(indices[0])
                : throw new IndexOutOfRangeException($"element {indices[0]} of a tensor of {Count}");
        }

        if (indices.Length != shape.Length)
        {
            throw new ArgumentException($"{indices.Length} indices given for a tensor of {shape.Length} dimensions.");
        }

        long offset = 0;
        for (var d = 0; d < indices.Length; d++)
        {
            if (indices[d] < 0 || indices[d] >= shape[d])
            {
                throw new IndexOutOfRangeException($"index {indices[d]} of dimension {d}, which has {shape[d]} elements");
            }

            offset += indices[d] * strides[d];
        }

        return start + offset;
    }

    private long Offset(long position)
    {
        long offset = 0;
        for (var d = shape.Length - 1; d >= 0; d--)
        {
            position = Math.DivRem(position, shape[d], out var index);
            offset += index * strides[d];
        }

        return offset;
    }
}
