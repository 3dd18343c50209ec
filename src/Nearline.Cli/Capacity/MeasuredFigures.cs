using System.Globalization;
using System.Text.Json;
using Nearline.Cli.Console;

namespace Nearline.Cli.Capacity;

/// <summary>Figures from the benchmarks' results.</summary>
/// <param name="directory">bench/results.</param>
internal sealed class MeasuredFigures(string directory)
{
    private const string OneThread = ", 1 thread";

    /// <summary>What is lost between tower and index alone and the whole worker, where the whole was not measured.</summary>
    private const double Whole = 0.85;

    /// <summary>
    /// Users a second that one core makes sets for: as the throughput of the worker tells, else as tower and index alone
    /// do; null where neither was measured.
    /// </summary>
    /// <exception cref="CliException">A file of results cannot be read.</exception>
    public Figure? UsersPerCore(double scenarios)
    {
        const string Name = "users/s a core";
        if (Lines("worker.json").Where(l => Text(l, "unit") is "events/s" or "users/s")
            .Select(l => (Rate: Number(l, "ours"), Threads: Number(l, "threads") ?? 1)).FirstOrDefault() is { Rate: { } rate } whole)
        {
            return new Figure(Name, rate / whole.Threads, "measured: worker.json");
        }

        var tower = Lines("tower.json")
            .Where(l => Text(l, "case").EndsWith(OneThread, StringComparison.Ordinal))
            .Select(l => Number(l, "from_histories")).Max();
        var index = Lines("index.json")
            .Where(l => Text(l, "case") is var c && c.Contains("70,000 x 256", StringComparison.Ordinal) && c.EndsWith("exact, batch 16", StringComparison.Ordinal))
            .Select(l => (Milliseconds: Number(l, "ours"), Threads: Threads(Text(l, "case")))).Select(l => l.Milliseconds * l.Threads).Max();
        return tower is { } users && index is { } milliseconds
            ? new Figure(
                Name,
                Whole / ((1 / users) + (scenarios * milliseconds / 1000)),
                string.Create(CultureInfo.InvariantCulture, $"measured: tower.json {users:N0} users/s, index.json {milliseconds:0.###} ms a core and query of 70,000 shows, x {scenarios:0.#} scenarios, x {Whole} for the rest"))
            : null;

        static double Threads(string text) => text.Contains("2 threads", StringComparison.Ordinal) ? 2 : 1;
    }

    private static string Text(JsonElement line, string name) =>
        line.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static double? Number(JsonElement line, string name) =>
        line.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private List<JsonElement> Lines(string file)
    {
        var path = Path.Combine(directory, file);
        if (!File.Exists(path))
        {
            return [];
        }

        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return [.. json.RootElement.GetProperty("lines").EnumerateArray().Select(l => l.Clone())];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CliException($"--results: {path} is no file of results: {e.Message}");
        }
    }
}
