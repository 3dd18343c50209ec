using System.Diagnostics;

namespace Nearline.Worker.Tests.Support;

/// <summary>Waits for what will come, by asking again and again, up to a deadline.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public static async Task TrueAsync(Func<Task<bool>> condition, string what)
    {
        var waited = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(waited.Elapsed < Deadline, $"{what}: not within {Deadline.TotalSeconds} s");
            await Task.Delay(Pause);
        }
    }

    public static Task TrueAsync(Func<bool> condition, string what) => TrueAsync(() => Task.FromResult(condition()), what);

    /// <summary>Repeats assertions until they pass.</summary>
    public static async Task PassAsync(Func<Task> assertions)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await assertions();
                return;
            }
            catch (Exception) when (waited.Elapsed < Deadline)
            {
                await Task.Delay(Pause);
            }
        }
    }
}
