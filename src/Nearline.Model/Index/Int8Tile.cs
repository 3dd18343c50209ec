namespace Nearline.Model.Index;

/// <summary>A block of int8 rows that follow each other in memory, with what bounds their scores.</summary>
internal readonly ref struct Int8Tile(
    ref byte values, ref float scale, ref float error, ref float norm, int firstRow, ReadOnlySpan<int> rows)
{
    /// <summary>The first row's first value.</summary>
    public readonly ref byte Values = ref values;

    /// <summary>The first row's scale, those of the others behind it.</summary>
    public readonly ref float Scale = ref scale;

    /// <summary>The first row's error.</summary>
    public readonly ref float Error = ref error;

    /// <summary>The first row's norm.</summary>
    public readonly ref float Norm = ref norm;

    /// <summary>The first row, where rows follow each other in the index too.</summary>
    public readonly int FirstRow = firstRow;

    /// <summary>The rows, where they do not; else empty.</summary>
    public readonly ReadOnlySpan<int> Rows = rows;
}
