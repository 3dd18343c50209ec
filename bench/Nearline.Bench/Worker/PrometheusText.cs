using System.Globalization;

namespace Nearline.Bench.Worker;

/// <summary>What a <c>/metrics</c> page says.</summary>
internal sealed class PrometheusText
{
    private readonly Dictionary<string, double> samples = new(StringComparer.Ordinal);

    public static async Task<PrometheusText> ReadAsync(HttpClient http, string url, CancellationToken cancellationToken)
    {
        var text = new PrometheusText();
        foreach (var line in (await http.GetStringAsync(new Uri(url), cancellationToken).ConfigureAwait(false)).Split('\n'))
        {
            if (line.Length > 0 && line[0] != '#')
            {
                var end = line.LastIndexOf('}') is var brace and >= 0 ? brace + 1 : line.IndexOf(' ', StringComparison.Ordinal);
                text.samples[line[..end]] = double.Parse(line[end..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
            }
        }

        return text;
    }

    /// <summary>The sum of the samples of a name whose labels contain a text.</summary>
    public double Sum(string name, string label = "") => samples
        .Where(s => (s.Key == name || s.Key.StartsWith(name + "{", StringComparison.Ordinal)) && s.Key.Contains(label, StringComparison.Ordinal))
        .Sum(s => s.Value);
}
