namespace Nearline.Model.Index;

/// <summary>The queries of a search in int8, with memory that it keeps.</summary>
internal sealed class QueryBatch
{
    private sbyte[] int8 = [];
    private int[] sums = [];
    private QuantizedQuery[] bounds = [];
    private int stride;
    private int count;

    /// <summary>A row each.</summary>
    public ReadOnlySpan<sbyte> Int8 => int8.AsSpan(0, count * stride);

    /// <summary>For each the sum of its values.</summary>
    public ReadOnlySpan<int> Sums => sums.AsSpan(0, count);

    /// <summary>What bounds the scores of one, as quantized.</summary>
    public ref readonly QuantizedQuery this[int query] => ref bounds[query];

    /// <summary>The values of one.</summary>
    public ReadOnlySpan<sbyte> Int8Of(int query) => int8.AsSpan(query * stride, stride);

    /// <summary>Makes room for as many queries as there are, of so many bytes.</summary>
    public void Reset(int queries, int bytes)
    {
        (count, stride) = (queries, bytes);
        if (int8.Length < checked(queries * bytes))
        {
            int8 = new sbyte[queries * bytes];
        }

        if (sums.Length < queries)
        {
            (sums, bounds) = (new int[queries], new QuantizedQuery[queries]);
        }
    }

    /// <summary>Quantizes one.</summary>
    /// <returns>As of <see cref="QuantizedQuery.TryCreate"/>; it is not to be used where that fails.</returns>
    public bool TryAdd(int query, ReadOnlySpan<float> values, Int8Rows rows)
    {
        var succeeded = QuantizedQuery.TryCreate(values, rows, int8.AsSpan(query * stride, stride), out bounds[query]);
        sums[query] = bounds[query].Sum;
        return succeeded;
    }
}
