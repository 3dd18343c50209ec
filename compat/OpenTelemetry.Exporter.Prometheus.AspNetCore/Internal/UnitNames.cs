using System.Text.RegularExpressions;

namespace OpenTelemetry.Exporter.Prometheus;

/// <summary>Units in UCUM notation ("By/s") as Prometheus words ("bytes_per_second").</summary>
internal static partial class UnitNames
{
    private static readonly Dictionary<string, string> Words = new(StringComparer.Ordinal)
    {
        ["d"] = "days",
        ["h"] = "hours",
        ["min"] = "minutes",
        ["s"] = "seconds",
        ["ms"] = "milliseconds",
        ["us"] = "microseconds",
        ["ns"] = "nanoseconds",
        ["By"] = "bytes",
        ["KiBy"] = "kibibytes",
        ["MiBy"] = "mebibytes",
        ["GiBy"] = "gibibytes",
        ["TiBy"] = "tibibytes",
        ["KBy"] = "kilobytes",
        ["MBy"] = "megabytes",
        ["GBy"] = "gigabytes",
        ["TBy"] = "terabytes",
        ["B"] = "bytes",
        ["KB"] = "kilobytes",
        ["MB"] = "megabytes",
        ["GB"] = "gigabytes",
        ["TB"] = "terabytes",
        ["m"] = "meters",
        ["V"] = "volts",
        ["A"] = "amperes",
        ["J"] = "joules",
        ["W"] = "watts",
        ["g"] = "grams",
        ["Cel"] = "celsius",
        ["Hz"] = "hertz",
        ["%"] = "percent",
        ["$"] = "dollars",
        // A bare number has no unit.
        ["1"] = "",
    };

    private static readonly Dictionary<string, string> PerWords = new(StringComparer.Ordinal)
    {
        ["s"] = "second",
        ["m"] = "minute",
        ["h"] = "hour",
        ["d"] = "day",
        ["w"] = "week",
        ["mo"] = "month",
        ["y"] = "year",
    };

    /// <summary>The name suffix for a unit, without its underscore; null when the unit adds none.</summary>
    public static string? Suffix(string? unit)
    {
        if (string.IsNullOrEmpty(unit))
        {
            return null;
        }

        // Annotations such as {request} say what is counted, which is no unit to Prometheus.
        var plain = Annotation().Replace(unit, "");
        var slash = plain.IndexOf('/');
        var words = slash >= 0 && slash < plain.Length - 1
            ? $"{Word(Words, plain[..slash])}_per_{Word(PerWords, plain[(slash + 1)..])}"
            : Word(Words, plain);
        var suffix = Names.Sanitize(words, collapseOnly: true).Trim('_');
        return suffix.Length == 0 ? null : suffix;
    }

    private static string Word(Dictionary<string, string> words, string unit) => words.GetValueOrDefault(unit, unit);

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Annotation();
}
