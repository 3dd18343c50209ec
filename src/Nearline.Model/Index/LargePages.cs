using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nearline.Model.Index;

/// <summary>
/// Asks Linux for pages of 2 MiB, where it gives them to those that ask: rows read here and there otherwise cost a walk
/// through page tables each.
/// </summary>
internal static class LargePages
{
    private const long Page = 1 << 21;
    private const int HugePage = 14;

    /// <summary>To be called before the memory is first written.</summary>
    /// <param name="first">The first byte of pinned memory.</param>
    /// <param name="bytes">How much there is; what is no whole page stays as it is.</param>
    public static unsafe void Advise<T>(ref T first, long bytes)
        where T : unmanaged
    {
        var from = ((long)Unsafe.AsPointer(ref first) + Page - 1) / Page * Page;
        var to = ((long)Unsafe.AsPointer(ref first) + bytes) / Page * Page;
        if (OperatingSystem.IsLinux() && to > from)
        {
            // Refused: the memory works all the same.
            _ = Advise((nint)from, (nuint)(to - from), HugePage);
        }
    }

    [DllImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Advise(nint address, nuint length, int advice);
}
