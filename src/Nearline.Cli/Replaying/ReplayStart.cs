using System.Globalization;
using Nearline.Cli.Console;

namespace Nearline.Cli.Replaying;

/// <summary>Where a replay begins: one of the two is there.</summary>
/// <param name="Time">With the first record that came then or later.</param>
/// <param name="Offset">With this one in every partition, or the first that is left.</param>
internal sealed record ReplayStart(DateTimeOffset? Time, long? Offset)
{
    /// <exception cref="CliException">It is neither.</exception>
    public static ReplayStart Parse(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? new ReplayStart(null, offset)
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? new ReplayStart(time, null)
        : throw new CliException($"--from is '{text}'; it must be a time such as 2026-11-01T00:00:00Z, or an offset");
}
