namespace Nearline.Model.Index;

/// <summary>What indexes refuse, in the same words.</summary>
internal static class SearchInput
{
    /// <summary>How many rows a matrix has.</summary>
    /// <exception cref="ArgumentException">The dimension is below one, or does not divide the length.</exception>
    public static int CountRows(ReadOnlySpan<float> rows, int dimension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        return rows.Length % dimension == 0
            ? rows.Length / dimension
            : throw new ArgumentException($"rows: {rows.Length} values: must be a multiple of the dimension, {dimension}", nameof(rows));
    }

    /// <summary>Refuses a row with a value that is not finite.</summary>
    public static void CheckRow(int row, ReadOnlySpan<float> values)
    {
        if (FirstNotFinite(values) is var column and >= 0)
        {
            throw new ArgumentException($"row {row}, column {column}: {values[column]}: must be finite", nameof(values));
        }
    }

    /// <summary>Refuses queries, a limit and masks that do not fit an index or each other.</summary>
    public static void Check(ReadOnlySpan<float> queries, int limit, IReadOnlyList<ItemMask?> masks, int count, int dimension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentNullException.ThrowIfNull(masks);
        if (queries.Length % dimension != 0)
        {
            throw new ArgumentException(
                $"queries: {queries.Length} values: must be a multiple of the dimension, {dimension}", nameof(queries));
        }

        if (FirstNotFinite(queries) is var at and >= 0)
        {
            throw new ArgumentException(
                $"query {at / dimension}, column {at % dimension}: {queries[at]}: must be finite", nameof(queries));
        }

        var batch = queries.Length / dimension;
        if (masks.Count != 0 && masks.Count != batch)
        {
            throw new ArgumentException($"masks: {masks.Count} of them: must be one a query, {batch}, or none", nameof(masks));
        }

        for (var query = 0; query < masks.Count; query++)
        {
            if (masks[query] is { } mask && mask.Length != count)
            {
                throw new ArgumentException($"mask {query}: of {mask.Length} rows: must be of {count}, the index's", nameof(masks));
            }
        }
    }

    private static int FirstNotFinite(ReadOnlySpan<float> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                return i;
            }
        }

        return -1;
    }
}
