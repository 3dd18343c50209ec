using System.Globalization;

namespace Nearline.Model.Features;

/// <summary>One user attribute as a categorical field: row 0 for unknown or unseen values, then one row a value or bucket.</summary>
/// <param name="Name">The attribute's name in a profile.</param>
/// <param name="Values">Known values; empty for a numeric field.</param>
/// <param name="Boundaries">Rising upper bounds of the buckets of a numeric field; empty for a categorical one.</param>
public sealed record AttributeField(string Name, IReadOnlyList<string> Values, IReadOnlyList<double> Boundaries)
{
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

    /// <summary>
    /// A field for what was seen of an attribute: quantile buckets for numbers of many values, else the values that
    /// at least two users share. Null for attributes that tell users apart one by one, such as postcodes.
    /// </summary>
    internal static AttributeField? From(string name, IReadOnlyList<string> seen)
    {
        const int maxValues = 200;
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

        if (distinct > Math.Min(maxValues, Math.Max(numericFrom, seen.Count / 4)))
        {
            return null;
        }

        string[] values = [.. seen.GroupBy(v => v, StringComparer.Ordinal).Where(g => g.Count() >= 2).Select(g => g.Key).Order(StringComparer.Ordinal)];
        return values.Length == 0 ? null : new AttributeField(name, values, []);
    }
}
