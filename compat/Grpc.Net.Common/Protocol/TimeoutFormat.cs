using System.Globalization;

namespace Grpc.Net.Protocol;

/// <summary>The value of grpc-timeout: up to eight digits and a unit (H, M, S, m, u, n).</summary>
internal static class TimeoutFormat
{
    private const long MaxDigits = 99_999_999;

    private static readonly (char Unit, long Ticks)[] Units =
    [
        ('m', TimeSpan.TicksPerMillisecond),
        ('S', TimeSpan.TicksPerSecond),
        ('M', TimeSpan.TicksPerMinute),
        ('H', TimeSpan.TicksPerHour),
    ];

    /// <summary>False for what is no timeout; one too long for a TimeSpan is its maximum.</summary>
    public static bool TryParse(string? text, out TimeSpan timeout)
    {
        timeout = default;
        if (text is null || text.Length is < 2 or > 9 ||
            !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        switch (text[^1])
        {
            case 'n':
                timeout = TimeSpan.FromTicks((value + 99) / 100);
                return true;
            case 'u':
                timeout = TimeSpan.FromTicks(value * TimeSpan.TicksPerMicrosecond);
                return true;
        }

        foreach (var (unit, ticks) in Units)
        {
            if (unit == text[^1])
            {
                // Eight digits of hours are 3.6e18 ticks, which a long holds.
                timeout = TimeSpan.FromTicks(value * ticks);
                return true;
            }
        }

        return false;
    }

    /// <summary>In the finest unit of milliseconds or more that holds it, rounded up.</summary>
    public static string Format(TimeSpan timeout)
    {
        if (timeout <= TimeSpan.Zero)
        {
            return "1n";
        }

        foreach (var (unit, ticks) in Units)
        {
            var value = (timeout.Ticks / ticks) + (timeout.Ticks % ticks > 0 ? 1 : 0);
            if (value <= MaxDigits)
            {
                return value.ToString(CultureInfo.InvariantCulture) + unit;
            }
        }

        return MaxDigits.ToString(CultureInfo.InvariantCulture) + "H";
    }
}
