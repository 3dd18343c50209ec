using System.Runtime.InteropServices;

namespace Nearline.Model.Training;

/// <summary>
/// Lets the C library keep freed memory for the next step. A training step frees and takes the same large tensors over
/// and over; handed back to the system in between, every page of them is cleared anew.
/// </summary>
internal static class KeptMemory
{
    // From glibc's malloc.h.
    private const int TrimThreshold = -1;
    private const int LargestMappings = -4;

    private static readonly Lazy<bool> Set = new(Apply);

    /// <summary>Sets it for the process, where the C library is glibc; elsewhere nothing happens.</summary>
    /// <returns>Whether it is set.</returns>
    public static bool Use() => Set.Value;

    private static bool Apply()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            return SetOption(LargestMappings, 0) == 1 && SetOption(TrimThreshold, 1 << 30) == 1;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetOption(int parameter, int value);
}
