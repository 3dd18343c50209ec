namespace Nearline.Model.Index.Hnsw;

/// <summary>Rows that a walk may go to, as many as come, the best on top: a heap of <see cref="Beam.Key"/>s.</summary>
internal sealed class RowQueue
{
    private ulong[] keys = new ulong[1024];

    public int Count { get; private set; }

    public void Clear() => Count = 0;

    public void Add(ulong key)
    {
        if (Count == keys.Length)
        {
            Array.Resize(ref keys, 2 * Count);
        }

        var hole = Count++;
        while (hole > 0 && key < keys[(hole - 1) / 2])
        {
            keys[hole] = keys[(hole - 1) / 2];
            hole = (hole - 1) / 2;
        }

        keys[hole] = key;
    }

    /// <summary>Takes the best; there must be one.</summary>
    public ulong Take()
    {
        var best = keys[0];
        var last = keys[--Count];
        var hole = 0;
        for (int child; (child = (2 * hole) + 1) < Count; hole = child)
        {
            child += child + 1 < Count && keys[child + 1] < keys[child] ? 1 : 0;
            if (last <= keys[child])
            {
                break;
            }

            keys[hole] = keys[child];
        }

        keys[hole] = last;
        return best;
    }
}
