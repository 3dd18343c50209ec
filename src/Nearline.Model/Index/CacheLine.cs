using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Nearline.Model.Index;

/// <summary>Asks for memory before it is needed, where the machine can.</summary>
internal static class CacheLine
{
    /// <summary>Fetches the line that holds a value into the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Prefetch<T>(ref T value)
        where T : unmanaged
    {
        // A hint: an address that moved meanwhile does no harm.
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref value));
        }
    }

    /// <summary>Fetches the line that holds a value into the second-level cache, where many can be on their way.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void PrefetchNear<T>(ref T value)
        where T : unmanaged
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch1(Unsafe.AsPointer(ref value));
        }
    }
}
