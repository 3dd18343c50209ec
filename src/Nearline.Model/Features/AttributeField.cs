using System.Globalization;

namespace Nearline.Model.Features;

/// <summary>
/// One user attribute as a field: row 0 for unknown or unseen values, then one row a value or bucket. Of an attribute
/// with several values at once, such as "en|fr", the field is multi-hot: the mean of its values' embeddings.
/// </summary>
/// <param name="Name">The attribute's name in a profile.</param>
/// <param name="Values">Known values; empty for a numeric field.</param>
/// <param name="Boundaries">Rising upper bounds of the buckets of a numeric field; empty for a categorical one.</param>
/// <param name="IsMultiple">Whether a user may have several values, with <see cref="Separator"/> between them.</param>
public sealed record AttributeField(
    string Name, IReadOnlyList<string> Values, IReadOnlyList<double> Boundaries, bool IsMultiple = false)
{
    /// <summary>Stands between the values of an attribute that has several.</summary>
    public const char Separator = '|';

    private const int MaxValues = 200;

    private readonly Dictionary<string, int> rows =
        Values.Select((value, i) => (value, i)).ToDictionary(p => p.value, p => p.i + 1, StringComparer.Ordinal);

    /// <summary>Rows of the field, the unknown one included.</summary>
    public int Size => 1 + (Boundaries.Count > 0 ? Boundaries.Count + 1 : Values.Count);

    /// <summary>The row of a value.</summary>
    public int RowOf(string? value)
    {
        if (string.IsNullOrEmpty(value))
        {
            return 0;
        }

        if (Boundaries.Count == 0)
        {
            return rows.GetValueOrDefault(value);
        }

        if (!double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            return 0;
        }

        var bucket = 0;
        while (bucket < Boundaries.Count && number >= Boundaries[bucket])
        {
            bucket++;
        }

        return bucket + 1;
    }

    /// <summary>The rows of a value, at least one: of several values those that are known, rising, else row 0.</summary>
    internal IReadOnlyList<int> RowsOf(string? value)
    {
        if (!IsMultiple || value is null || !value.Contains(Separator, StringComparison.Ordinal))
        {
            return [RowOf(IsMultiple ? value?.Trim() : value)];
        }

        int[] known = [.. Parts(value).Select(RowOf).Where(row => row > 0).Order()];
        return known.Length > 0 ? known : [0];
    }

    /// <summary>
    /// A field for what was seen of an attribute: multi-hot where any value is several, quantile buckets for numbers of
    /// many values, else the values that at least two users share. Null for attributes that tell users apart one by
    /// one, such as postcodes.
    /// </summary>
    internal static AttributeField? From(string name, IReadOnlyList<string> seen)
    {
        if (seen.Any(v => v.Contains(Separator, StringComparison.Ordinal)))
        {
            return Multiple(name, seen);
        }

        const int numericFrom = 16;
        const int quantiles = 8;
        var distinct = seen.Distinct(StringComparer.Ordinal).Count();
        var numbers = seen
            .Select(v => double.TryParse(v, NumberStyles.Float, CultureInfo.InvariantCulture, out var d) ? d : double.NaN)
            .Where(double.IsFinite)
            .Order()
            .ToArray();
        if (distinct > numericFrom && numbers.Length == seen.Count)
        {
            double[] boundaries = [.. Enumerable.Range(1, quantiles - 1).Select(q => numbers[q * numbers.Length / quantiles]).Distinct()];
            return new AttributeField(name, [], boundaries);
        }

        if (distinct > Math.Min(MaxValues, Math.Max(numericFrom, seen.Count / 4)))
        {
            return null;
        }

        string[] values = [.. seen.GroupBy(v => v, StringComparer.Ordinal).Where(g => g.Count() >= 2).Select(g => g.Key).Order(StringComparer.Ordinal)];
        return values.Length == 0 ? null : new AttributeField(name, values, []);
    }

    /// <summary>The commonest values that at least two users share; several tell users apart by what they combine.</summary>
    private static AttributeField? Multiple(string name, IReadOnlyList<string> seen)
    {
        string[] values =
        [
            .. seen.SelectMany(Parts)
                .GroupBy(v => v, StringComparer.Ordinal)
                .Where(g => g.Count() >= 2)
                .OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal)
                .Take(MaxValues)
                .Select(g => g.Key)
                .Order(StringComparer.Ordinal),
        ];
        return values.Length == 0 ? null : new AttributeField(name, values, [], IsMultiple: true);
    }

    private static IEnumerable<string> Parts(string value) => value
        .Split(Separator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .Distinct(StringComparer.Ordinal);
}
