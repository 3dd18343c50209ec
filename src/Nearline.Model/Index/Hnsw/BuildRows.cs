namespace Nearline.Model.Index.Hnsw;

/// <summary>
/// Rows as they look while the graph is built. A row takes its neighbours from those with which its inner product is the
/// highest, as a query will; but whether one of them makes another superfluous is told by angles, since by inner products
/// the few longest rows would be near to all and push out everything else.
/// </summary>
internal sealed class BuildRows
{
    public BuildRows(Int8Rows int8, int count)
    {
        Int8 = int8;
        Scales = new (float, float)[count];
        double greatest = 0;
        for (var row = 0; row < count; row++)
        {
            greatest = Math.Max(greatest, Norm(row));
        }

        for (var row = 0; row < count; row++)
        {
            if (int8.Scales[row] > 0)
            {
                Scales[row] = ((float)(int8.Scales[row] / greatest), (float)(int8.Scales[row] / Norm(row)));
            }
        }
    }

    public Int8Rows Int8 { get; }

    /// <summary>What a step of a row's int8 values is worth, as a share of the greatest norm and of its own: no product of them leaves the range of float.</summary>
    public (float OfGreatest, float OfOwn)[] Scales { get; }

    /// <summary>Inner products with a row, or cosines of the angles to it, in units of its own scale.</summary>
    /// <param name="row">Which.</param>
    /// <param name="values">[stride], to be overwritten; the space holds while they stay.</param>
    /// <param name="isByAngle">Cosines.</param>
    public RowSpace At(int row, sbyte[] values, bool isByAngle = false) => new(this, values, Int8.CopyRow(row, values), isByAngle);

    // The norm of finite values may be infinite.
    private double Norm(int row) => Math.Min(Int8.Norms[row], float.MaxValue);
}
