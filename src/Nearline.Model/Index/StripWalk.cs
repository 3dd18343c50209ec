using System.Runtime.InteropServices;

namespace Nearline.Model.Index;

/// <summary>
/// The blocks of a strip: of runs of some blocks, every so many-th. A run is long enough for a machine to fetch ahead.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal struct StripWalk(int strip, int strips, int rows)
{
    /// <summary>Rows of a run.</summary>
    public const int RunRows = 4 * Int8Rows.Block;

    private int inRun;

    /// <summary>The block's first row; -1 past the last.</summary>
    public int Row { get; private set; } = First(strip, rows);

    /// <summary>Goes on to the next block.</summary>
    public void Next()
    {
        inRun += Int8Rows.Block;
        var next = (long)Row + Int8Rows.Block;
        if (inRun == RunRows)
        {
            (inRun, next) = (0, next + ((strips - 1L) * RunRows));
        }

        Row = next < rows ? (int)next : -1;
    }

    private static int First(int strip, int rows)
    {
        var first = (long)strip * RunRows;
        return first < rows ? (int)first : -1;
    }
}
