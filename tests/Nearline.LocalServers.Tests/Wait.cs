using System.Diagnostics;

namespace Nearline.LocalServers.Tests;

internal static class Wait
{
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>Asks until the answer is yes, or fails at the deadline.</summary>
    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);

    /// <inheritdoc cref="UntilAsync(Func{bool}, string)"/>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(clock.Elapsed < Long, $"Not within {Long.TotalSeconds} s: {what}");
            await Task.Delay(10);
        }
    }
}
