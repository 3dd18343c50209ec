using System.Diagnostics;

namespace Nearline.EndToEnd.Tests;

/// <summary>Waits for what another process will do, by looking again, never by guessing a time.</summary>
internal static class Eventually
{
    public static async Task<T> GetAsync<T>(Func<Task<T?>> look, string what, int seconds = 60)
        where T : class
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            if (await look() is { } found)
            {
                return found;
            }

            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(seconds))
            {
                throw new TimeoutException($"not within {seconds} s: {what}");
            }

            await Task.Delay(20);
        }
    }

    public static Task TrueAsync(Func<Task<bool>> look, string what, int seconds = 60) =>
        GetAsync(async () => await look() ? "" : null, what, seconds);

    /// <summary>Repeats assertions until they pass.</summary>
    public static async Task PassAsync(Func<Task> assertions, int seconds = 30)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await assertions();
                return;
            }
            catch (Exception) when (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(seconds))
            {
                await Task.Delay(20);
            }
        }
    }
}
