using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nearline.Model.Index;

/// <summary>
/// Values that start at a cache line, zero at first, past the 2^31 elements of an array of <typeparamref name="T"/> too.
/// </summary>
/// <remarks>The garbage collector owns it, so a reference to an element keeps it alive.</remarks>
internal sealed class AlignedArray<T>
    where T : unmanaged
{
    /// <summary>Bytes of a cache line.</summary>
    public const int Line = 64;

    private readonly Vector512<byte>[] lines;
    private readonly nint start;

    public AlignedArray(long length)
    {
        Bytes = checked((length * Unsafe.SizeOf<T>()) + Line - 1) / Line * Line;

        // Pinned, so that the alignment found here stays.
        lines = GC.AllocateArray<Vector512<byte>>(checked((int)((Bytes / Line) + 1)), pinned: true);
        LargePages.Advise(ref MemoryMarshal.GetArrayDataReference(lines), Bytes);
        start = (nint)(-Address(ref MemoryMarshal.GetArrayDataReference(lines)) & (Line - 1));
    }

    /// <summary>In whole lines.</summary>
    public long Bytes { get; }

    /// <summary>The first element.</summary>
    public ref T First => ref Unsafe.As<byte, T>(ref Unsafe.AddByteOffset(
        ref Unsafe.As<Vector512<byte>, byte>(ref MemoryMarshal.GetArrayDataReference(lines)), start));

    /// <summary>An element; the index is not checked.</summary>
    public ref T this[nint index] => ref Unsafe.Add(ref First, index);

    /// <summary>Some elements; not checked.</summary>
    public Span<T> Slice(nint from, int count) => MemoryMarshal.CreateSpan(ref this[from], count);

    private static unsafe long Address(ref Vector512<byte> first) => (long)Unsafe.AsPointer(ref first);
}
