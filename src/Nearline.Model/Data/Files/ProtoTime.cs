using System.Globalization;

namespace Nearline.Model.Data.Files;

/// <summary>
/// The JSON forms of google.protobuf.Timestamp (RFC 3339) and Duration (<c>1.500s</c>). What is below .NET's 100 ns
/// is cut off.
/// </summary>
internal static class ProtoTime
{
    private const int TickDigits = 7;

    public static string Format(DateTimeOffset time)
    {
        var utc = time.UtcDateTime;
        return utc.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture) +
            Fraction(utc.Ticks % TimeSpan.TicksPerSecond) + "Z";
    }

    public static string Format(TimeSpan duration)
    {
        var ticks = duration.Ticks;
        var sign = ticks < 0 ? "-" : "";
        var seconds = Math.Abs(ticks / TimeSpan.TicksPerSecond);
        return sign + seconds.ToString(CultureInfo.InvariantCulture) +
            Fraction(Math.Abs(ticks % TimeSpan.TicksPerSecond)) + "s";
    }

    public static DateTimeOffset? ParseTime(ReadOnlySpan<char> text)
    {
        // 2026-11-22T01:30:00[.123456789](Z|+01:00)
        if (text.Length < 20 || text[10] != 'T' ||
            !DateTime.TryParseExact(
                text[..19], "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out var local))
        {
            return null;
        }

        var rest = text[19..];
        var ticks = 0L;
        if (rest[0] == '.')
        {
            var digits = DigitCount(rest[1..]);
            if (ParseFraction(rest.Slice(1, digits)) is not { } fraction)
            {
                return null;
            }

            ticks = fraction;
            rest = rest[(digits + 1)..];
        }

        if (ParseOffset(rest) is not { } offset)
        {
            return null;
        }

        var utcTicks = local.Ticks + ticks - offset.Ticks;
        return utcTicks < DateTime.MinValue.Ticks || utcTicks > DateTime.MaxValue.Ticks
            ? null
            : new DateTimeOffset(utcTicks, TimeSpan.Zero);
    }

    public static TimeSpan? ParseDuration(ReadOnlySpan<char> text)
    {
        if (text.Length < 2 || text[^1] != 's')
        {
            return null;
        }

        text = text[..^1];
        var negative = text[0] == '-';
        text = negative ? text[1..] : text;
        var digits = DigitCount(text);
        if (digits is 0 or > 12 ||
            !long.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ||
            seconds >= long.MaxValue / TimeSpan.TicksPerSecond)
        {
            return null;
        }

        var ticks = 0L;
        if (digits < text.Length)
        {
            if (text[digits] != '.' || ParseFraction(text[(digits + 1)..]) is not { } fraction)
            {
                return null;
            }

            ticks = fraction;
        }

        ticks += seconds * TimeSpan.TicksPerSecond;
        return TimeSpan.FromTicks(negative ? -ticks : ticks);
    }

    // Protobuf writes no, 3, 6 or 9 digits.
    private static string Fraction(long ticks) => ticks switch
    {
        0 => "",
        _ when ticks % 10_000 == 0 => string.Create(CultureInfo.InvariantCulture, $".{ticks / 10_000:D3}"),
        _ when ticks % 10 == 0 => string.Create(CultureInfo.InvariantCulture, $".{ticks / 10:D6}"),
        _ => string.Create(CultureInfo.InvariantCulture, $".{ticks:D7}00"),
    };

    private static int DigitCount(ReadOnlySpan<char> text)
    {
        var end = text.IndexOfAnyExceptInRange('0', '9');
        return end < 0 ? text.Length : end;
    }

    private static long? ParseFraction(ReadOnlySpan<char> digits)
    {
        if (digits.Length is 0 or > 9 || DigitCount(digits) != digits.Length)
        {
            return null;
        }

        var ticks = 0L;
        for (var i = 0; i < TickDigits; i++)
        {
            ticks = (ticks * 10) + (i < digits.Length ? digits[i] - '0' : 0);
        }

        return ticks;
    }

    private static TimeSpan? ParseOffset(ReadOnlySpan<char> text)
    {
        if (text is "Z")
        {
            return TimeSpan.Zero;
        }

        if (text.Length != 6 || text[0] is not ('+' or '-') || text[3] != ':' ||
            !int.TryParse(text.Slice(1, 2), NumberStyles.None, CultureInfo.InvariantCulture, out var hours) ||
            !int.TryParse(text.Slice(4, 2), NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) ||
            hours > 23 || minutes > 59)
        {
            return null;
        }

        var offset = new TimeSpan(hours, minutes, 0);
        return text[0] == '-' ? -offset : offset;
    }
}
