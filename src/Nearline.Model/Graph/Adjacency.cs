namespace Nearline.Model.Graph;

/// <summary>Edges from rows to columns, the columns of a row side by side (compressed sparse rows).</summary>
public sealed class Adjacency
{
    private readonly int[] starts;
    private readonly int[] columns;

    private Adjacency(int[] starts, int[] columns)
    {
        this.starts = starts;
        this.columns = columns;
    }

    /// <summary>Rows.</summary>
    public int Rows => starts.Length - 1;

    /// <summary>Edges.</summary>
    public int Edges => columns.Length;

    /// <summary>The columns that a row is joined to.</summary>
    public ReadOnlySpan<int> this[int row] => columns.AsSpan(starts[row], starts[row + 1] - starts[row]);

    /// <summary>Edges of a row.</summary>
    public int Degree(int row) => starts[row + 1] - starts[row];

    internal static Adjacency Of(IReadOnlyList<IReadOnlyCollection<int>> rows)
    {
        var ends = new int[rows.Count + 1];
        for (var i = 0; i < rows.Count; i++)
        {
            ends[i + 1] = checked(ends[i] + rows[i].Count);
        }

        return new Adjacency(ends, [.. rows.SelectMany(r => r)]);
    }

    /// <summary>The same edges from columns to rows; the rows of a column ascend.</summary>
    /// <param name="count">Columns.</param>
    internal Adjacency Reversed(int count)
    {
        var reversed = new int[count + 1];
        foreach (var column in columns)
        {
            reversed[column + 1]++;
        }

        for (var i = 0; i < count; i++)
        {
            reversed[i + 1] += reversed[i];
        }

        var next = reversed.AsSpan(0, count).ToArray();
        var rows = new int[columns.Length];
        for (var row = 0; row < Rows; row++)
        {
            foreach (var column in this[row])
            {
                rows[next[column]++] = row;
            }
        }

        return new Adjacency(reversed, rows);
    }
}
