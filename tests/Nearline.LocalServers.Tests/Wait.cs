using System.Diagnostics;

namespace Nearline.LocalServers.Tests;

internal static class Wait
{
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>Asks until the answer is yes, or fails at the deadline.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < Long, $"Not within {Long.TotalSeconds} s: {what}");
            await Task.Delay(10);
        }
    }
}
