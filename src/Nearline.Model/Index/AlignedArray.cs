using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nearline.Model.Index;

/// <summary>
/// Values that start at a cache line, zero at first, past the 2^31 elements of an array of <typeparamref name="T"/> too.
/// </summary>
/// <remarks>
/// The garbage collector owns what is made here, so a reference to an element keeps it alive. Memory that another object
/// keeps, such as a mapped file, can be looked at in the same way.
/// </remarks>
internal sealed class AlignedArray<T>
    where T : unmanaged
{
    /// <summary>Bytes of a cache line.</summary>
    public const int Line = 64;

    private readonly Vector512<byte>[] lines;
    private readonly object? owner;

    // From the first line; where the memory is somebody else's, its address.
    private readonly nint start;

    public AlignedArray(long length)
    {
        Bytes = checked((length * Unsafe.SizeOf<T>()) + Line - 1) / Line * Line;

        // Pinned, so that the alignment found here stays.
        lines = GC.AllocateArray<Vector512<byte>>(checked((int)((Bytes / Line) + 1)), pinned: true);
        LargePages.Advise(ref MemoryMarshal.GetArrayDataReference(lines), Bytes);
        start = (nint)(-Address(ref MemoryMarshal.GetArrayDataReference(lines)) & (Line - 1));
    }

    /// <summary>Takes memory that another object keeps.</summary>
    /// <param name="address">Of the first element, at the start of a line.</param>
    /// <param name="length">Elements.</param>
    /// <param name="owner">What frees the memory when the garbage collector takes it. References to elements do not keep
    /// it alive: who uses them does.</param>
    public AlignedArray(nint address, long length, object owner)
    {
        (lines, start, this.owner) = ([], address, owner);
        Bytes = checked((length * Unsafe.SizeOf<T>()) + Line - 1) / Line * Line;
    }

    /// <summary>In whole lines.</summary>
    public long Bytes { get; }

    /// <summary>The first element.</summary>
    public unsafe ref T First => ref owner is null
        ? ref Unsafe.As<byte, T>(ref Unsafe.AddByteOffset(
            ref Unsafe.As<Vector512<byte>, byte>(ref MemoryMarshal.GetArrayDataReference(lines)), start))
        : ref Unsafe.AsRef<T>((void*)start);

    /// <summary>An element; the index is not checked.</summary>
    public ref T this[nint index] => ref Unsafe.Add(ref First, index);

    /// <summary>Some elements; not checked.</summary>
    public Span<T> Slice(nint from, int count) => MemoryMarshal.CreateSpan(ref this[from], count);

    private static unsafe long Address(ref Vector512<byte> first) => (long)Unsafe.AsPointer(ref first);
}
