using System.Globalization;

namespace OpenTelemetry.Exporter.Prometheus;

/// <summary>
/// The labels of one sample, in order of first use. Keys that become the same label are one label: their values joined
/// by semicolons in the order of the original keys.
/// </summary>
internal sealed class Labels
{
    private readonly List<Entry> _entries = [];

    public int Count => _entries.Count;

    public string Name(int index) => _entries[index].Name;

    public string Value(int index) =>
        _entries[index].Others is not { } others
            ? _entries[index].Value
            : string.Join(';', others
                .Prepend((_entries[index].Key, _entries[index].Value))
                .OrderBy(o => o.Item1, StringComparer.Ordinal)
                .Select(o => o.Item2));

    public void Clear() => _entries.Clear();

    public void Add(string key, object? value) => Add(Names.SanitizeLabel(key), key, value);

    public void Add(string name, string key, object? value)
    {
        var text = Text(value);
        for (var i = 0; i < _entries.Count; i++)
        {
            if (string.Equals(_entries[i].Name, name, StringComparison.Ordinal))
            {
                _entries[i] = _entries[i] with { Others = [.. _entries[i].Others ?? [], (key, text)] };
                return;
            }
        }

        _entries.Add(new Entry(name, key, text, null));
    }

    public void Remove(string name) => _entries.RemoveAll(e => string.Equals(e.Name, name, StringComparison.Ordinal));

    private static string Text(object? value) => value switch
    {
        null => "",
        string text => text,
        bool flag => flag ? "true" : "false",
        double number => Numbers.Canonical(number),
        float number => Numbers.Canonical(number),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture) ?? "",
        _ => value.ToString() ?? "",
    };

    private sealed record Entry(string Name, string Key, string Value, (string Key, string Value)[]? Others);
}
