using System.Diagnostics;
using System.Globalization;

namespace Nearline.Bench;

/// <summary>What some work cost this process.</summary>
/// <param name="Seconds">On the wall.</param>
/// <param name="CpuSeconds">Of all threads: what other processes take of the machine does not show in it.</param>
internal sealed record Measured(double Seconds, double CpuSeconds)
{
    /// <summary>Most memory that the process has had resident, in MiB; NaN where the system does not tell.</summary>
    public static double PeakMiB
    {
        get
        {
            const string status = "/proc/self/status";
            var line = File.Exists(status) ? File.ReadLines(status).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
            return line is null ? double.NaN : double.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
        }
    }

    public static Measured Of(Action work)
    {
        using var process = Process.GetCurrentProcess();
        var cpu = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        work();
        var seconds = clock.Elapsed.TotalSeconds;
        process.Refresh();
        return new Measured(seconds, (process.TotalProcessorTime - cpu).TotalSeconds);
    }
}
