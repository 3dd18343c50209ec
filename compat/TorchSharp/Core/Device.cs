using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    private static Device defaultDevice = new(DeviceType.CPU);
    private static ScalarType defaultType = ScalarType.Float32;

    public static readonly Device CPU = new(DeviceType.CPU);
    public static readonly Device META = new(DeviceType.META);

    public static Device CUDA => InitializeDevice(new Device(DeviceType.CUDA));

    public static Device device(string description) => InitializeDevice(new Device(description));
    public static Device device(string deviceType, int index = -1) => InitializeDevice(new Device(deviceType, index));
    public static Device device(DeviceType deviceType, int index = -1) => InitializeDevice(new Device(deviceType, index));
    public static Device device(int index) => InitializeDevice(new Device(index));

    public static Device get_default_device() => defaultDevice;
    public static void set_default_device(Device device) => defaultDevice = device;
    public static void set_default_device(string device) => defaultDevice = new Device(device);
    public static ScalarType get_default_dtype() => defaultType;

    public static void set_default_dtype(ScalarType dtype)
    {
        if (!is_floating_point(dtype))
        {
            throw new ArgumentException($"dtype {dtype}: only a floating point type can be the default.", nameof(dtype));
        }

        defaultType = dtype;
    }

    /// <summary>Loads libtorch and checks that it can use the device.</summary>
    public static bool TryInitializeDeviceType(DeviceType deviceType)
    {
        Native.Load();
        return deviceType switch
        {
            DeviceType.CPU or DeviceType.META => true,
            DeviceType.CUDA => Native.ts_cuda_available() != 0,
            _ => false,
        };
    }

    public static void InitializeDeviceType(DeviceType deviceType)
    {
        if (!TryInitializeDeviceType(deviceType))
        {
            throw new InvalidOperationException($"Torch device type {deviceType} is not available: the installed libtorch was built without it or finds no such device.");
        }
    }

    public static Device InitializeDevice(Device? device)
    {
        device ??= defaultDevice;
        if (device.type != DeviceType.CPU)
        {
            InitializeDeviceType(device.type);
        }

        return device;
    }

    public class Device
    {
        public DeviceType type { get; }

        public int index { get; }

        public Device(string description)
        {
            var parts = description.Split(':');
            if (parts.Length > 2)
            {
                throw new ArgumentException($"device '{description}' is not of the form type or type:index.", nameof(description));
            }

            type = Parse(parts[0], description);
            index = parts.Length == 1 ? -1
                : int.TryParse(parts[1], out var k) && k >= 0 ? k
                : throw new ArgumentException($"device '{description}' has no whole number after the colon.", nameof(description));
        }

        public Device(string deviceType, int index = -1)
        {
            type = Parse(deviceType, deviceType);
            this.index = index;
        }

        public Device(DeviceType deviceType, int index = -1)
        {
            type = deviceType;
            this.index = index;
        }

        public Device(int index)
        {
            type = DeviceType.CUDA;
            this.index = index;
        }

        public override string ToString() => index < 0 ? type.ToString().ToLowerInvariant() : $"{type.ToString().ToLowerInvariant()}:{index}";

        public static implicit operator Device(string description) => new(description);

        private static DeviceType Parse(string name, string description) =>
            Enum.TryParse<DeviceType>(name, ignoreCase: true, out var parsed) && Enum.IsDefined(parsed) && !char.IsDigit(name[0])
                ? parsed
                : throw new ArgumentException($"device '{description}' names no known device type.", nameof(description));
    }

    public static bool cuda_is_available() => cuda.is_available();

    public static class cuda
    {
        public static bool is_available() => TryInitializeDeviceType(DeviceType.CUDA);
        public static bool is_cudnn_available() => is_available();
        public static int device_count() => is_available() ? Native.ts_cuda_count() : 0;
        public static void manual_seed(long seed) => Native.Check(Native.ts_cuda_manual_seed((ulong)seed, 0));
        public static void manual_seed_all(long seed) => Native.Check(Native.ts_cuda_manual_seed((ulong)seed, 1));

        public static void synchronize(Device? device = null)
        {
            if (is_available())
            {
                Native.Check(Native.ts_cuda_synchronize(device?.index ?? -1));
            }
        }
    }

    public static int get_num_threads() => Native.ts_threads();
    public static void set_num_threads(int num) => Native.Check(Native.ts_set_threads(num));
    public static int get_num_interop_threads() => Native.ts_interop_threads();
    public static void set_num_interop_threads(int num) => Native.Check(Native.ts_set_interop_threads(num));
}
