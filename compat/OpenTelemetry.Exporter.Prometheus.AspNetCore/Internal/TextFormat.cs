using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace OpenTelemetry.Exporter.Prometheus;

/// <summary>A text format that a scraper may ask for.</summary>
internal sealed class TextFormat
{
    private static readonly TextFormat Text0 = new("text/plain", "0.0.4", isOpenMetrics: false);
    private static readonly TextFormat Text1 = new("text/plain", "1.0.0", isOpenMetrics: false);
    private static readonly TextFormat OpenMetrics0 = new("application/openmetrics-text", "0.0.1", isOpenMetrics: true);
    private static readonly TextFormat OpenMetrics1 = new("application/openmetrics-text", "1.0.0", isOpenMetrics: true);

    private static readonly string[] EscapingSchemes = ["allow-utf-8", "dots", "underscores", "values"];

    private TextFormat(string mediaType, string version, bool isOpenMetrics)
    {
        MediaType = mediaType;
        Version = Version.Parse(version);
        IsOpenMetrics = isOpenMetrics;
        ContentType = $"{mediaType}; version={version}; charset=utf-8"
            // The formats from 1.0.0 on name their escaping scheme. Names are always escaped to underscores here, before
            // negotiation, so that is the scheme in use whichever was asked for.
            + (Version.Major > 0 ? "; escaping=underscores" : "");
    }

    public bool IsOpenMetrics { get; }

    public string ContentType { get; }

    private string MediaType { get; }

    private Version Version { get; }

    /// <summary>The acceptable format of the highest quality, the first of equals; text 0.0.4 when none is acceptable.</summary>
    public static TextFormat Negotiate(IList<MediaTypeHeaderValue> accept)
    {
        var best = Text0;
        var bestQuality = 0.0;
        foreach (var entry in accept)
        {
            if (TryRead(entry, out var format, out var quality) && quality > bestQuality)
            {
                (best, bestQuality) = (format, quality);
            }
        }

        return best;
    }

    private static bool TryRead(MediaTypeHeaderValue entry, out TextFormat format, out double quality)
    {
        quality = 1.0;
        format = Text0;
        TextFormat[] versions;
        if (entry.MediaType.Equals(OpenMetrics1.MediaType, StringComparison.OrdinalIgnoreCase))
        {
            versions = [OpenMetrics1, OpenMetrics0];
        }
        else if (entry.MediaType.Equals(Text0.MediaType, StringComparison.OrdinalIgnoreCase))
        {
            versions = [Text0, Text1];
        }
        else
        {
            return false;
        }

        format = versions[0];
        foreach (var parameter in entry.Parameters)
        {
            var value = parameter.Value.Value?.Trim('"');
            var known = parameter.Name.Value?.ToLowerInvariant() switch
            {
                "q" => double.TryParse(
                    value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out quality) && quality is > 0 and <= 1,
                "version" => Version.TryParse(value, out var version)
                    && (format = Array.Find(versions, f => f.Version.Equals(version))!) is not null,
                "escaping" => Array.IndexOf(EscapingSchemes, value) >= 0,
                _ => true,
            };
            if (!known)
            {
                return false;
            }
        }

        return true;
    }
}
