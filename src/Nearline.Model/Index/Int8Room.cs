namespace Nearline.Model.Index;

/// <summary>A thread's room for blocks of rows: as they are multiplied, and for rows from here and there.</summary>
internal sealed class Int8Room(int stride)
{
    /// <summary>Arranged as a kernel wants it.</summary>
    public AlignedArray<byte> Arranged { get; } = new((long)Int8Rows.Block * stride);

    /// <summary>Rows from here and there, next to each other.</summary>
    public AlignedArray<byte> Values { get; } = new((long)Int8Rows.Block * stride);

    /// <summary>Their scales.</summary>
    public AlignedArray<float> Scales { get; } = new(Int8Rows.Block);

    /// <summary>Their errors.</summary>
    public AlignedArray<float> Errors { get; } = new(Int8Rows.Block);

    /// <summary>Their norms.</summary>
    public AlignedArray<float> Norms { get; } = new(Int8Rows.Block);
}
