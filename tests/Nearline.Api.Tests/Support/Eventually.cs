using System.Diagnostics;

namespace Nearline.Api.Tests.Support;

/// <summary>Waits for something that another thread or process brings about.</summary>
internal static class Eventually
{
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>The first value that is as wanted.</summary>
    public static async Task<T> GetAsync<T>(Func<Task<T>> look, Func<T, bool> wanted, string what, TimeSpan? within = null)
    {
        var limit = within ?? Long;
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var value = await look();
            if (wanted(value))
            {
                return value;
            }

            Assert.True(clock.Elapsed < limit, $"Not within {limit.TotalSeconds} s: {what}; last seen: {value}");
            await Task.Delay(Pause);
        }
    }

    public static Task TrueAsync(Func<bool> condition, string what) =>
        GetAsync(() => Task.FromResult(condition()), static holds => holds, what);

    public static Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? within = null) =>
        GetAsync(condition, static holds => holds, what, within);
}
