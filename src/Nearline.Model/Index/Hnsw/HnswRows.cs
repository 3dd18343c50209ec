namespace Nearline.Model.Index.Hnsw;

/// <summary>The rows of an index: in fp32 for scores, in int8 for walks and bounds.</summary>
internal sealed record HnswRows(FloatRows Floats, Int8Rows Int8)
{
    public long MemoryBytes => Floats.MemoryBytes + Int8.MemoryBytes;
}
