using System.Runtime.InteropServices;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Bench.Gpu;

/// <summary>What the driver knows of the device that this thread works on.</summary>
internal static class GpuDevice
{
    private const string Driver = "libcuda.so.1";

    /// <summary>Its name; "cpu" for the CPU.</summary>
    public static string Name(Device device)
    {
        if (device.type != DeviceType.CUDA)
        {
            return "cpu";
        }

        Touch(device);
        var name = new byte[256];
        Check(CurrentDevice(out var number));
        Check(NameOf(name, name.Length, number));
        return Encoding.UTF8.GetString(name).TrimEnd('\0');
    }

    /// <summary>Bytes of its memory that are taken, by whomever; 0 for the CPU.</summary>
    public static long UsedBytes(Device device)
    {
        if (device.type != DeviceType.CUDA)
        {
            return 0;
        }

        Touch(device);
        Check(Memory(out var free, out var total));
        return (long)(total - free);
    }

    /// <summary>Makes torch's context current on this thread.</summary>
    private static void Touch(Device device)
    {
        using var one = ones(1, device: device);
        cuda.synchronize();
    }

    private static void Check(int status)
    {
        if (status != 0)
        {
            throw new InvalidOperationException($"the CUDA driver answered with error {status}");
        }
    }

    [DllImport(Driver, EntryPoint = "cuCtxGetDevice")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int CurrentDevice(out int device);

    [DllImport(Driver, EntryPoint = "cuDeviceGetName")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NameOf([Out] byte[] name, int length, int device);

    [DllImport(Driver, EntryPoint = "cuMemGetInfo_v2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Memory(out nuint free, out nuint total);
}
