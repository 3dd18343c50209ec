namespace Nearline.Model.Graph;

/// <summary>Dominant subspaces of sparse matrices by orthogonal iteration; a basis is an array of columns.</summary>
internal static class Subspace
{
    /// <summary>Columns uniform in [-1, 1].</summary>
    public static float[][] Random(int width, int length, int seed)
    {
        var random = new Random(seed);
        var basis = Columns(width, length);
        foreach (var column in basis)
        {
            for (var i = 0; i < length; i++)
            {
                column[i] = (float)((random.NextDouble() * 2) - 1);
            }
        }

        return basis;
    }

    public static float[][] Columns(int width, int length) =>
        [.. Enumerable.Range(0, width).Select(_ => new float[length])];

    public static float[][] Multiply(List<(int Node, float Weight)>[] rows, float[][] basis)
    {
        var result = Columns(basis.Length, rows.Length);
        for (var i = 0; i < rows.Length; i++)
        {
            foreach (var (node, weight) in rows[i])
            {
                for (var c = 0; c < basis.Length; c++)
                {
                    result[c][i] += weight * basis[c][node];
                }
            }
        }

        return result;
    }

    public static float[][] MultiplyTransposed(List<(int Node, float Weight)>[] rows, float[][] images, int nodes)
    {
        var result = Columns(images.Length, nodes);
        for (var i = 0; i < rows.Length; i++)
        {
            foreach (var (node, weight) in rows[i])
            {
                for (var c = 0; c < images.Length; c++)
                {
                    result[c][node] += weight * images[c][i];
                }
            }
        }

        return result;
    }

    /// <summary>Modified Gram-Schmidt; a column that depends on earlier ones becomes zero.</summary>
    public static void Orthonormalize(float[][] columns)
    {
        for (var c = 0; c < columns.Length; c++)
        {
            var before = VectorMath.Dot(columns[c], columns[c]);
            for (var pass = 0; pass < 2; pass++)
            {
                for (var other = 0; other < c; other++)
                {
                    var along = -VectorMath.Dot(columns[c], columns[other]);
                    VectorMath.AddScaled(along, columns[other], columns[c]);
                }
            }

            var after = VectorMath.Dot(columns[c], columns[c]);
            var scale = after > 1e-8f * before && after > 0 ? 1 / MathF.Sqrt(after) : 0;
            for (var i = 0; i < columns[c].Length; i++)
            {
                columns[c][i] *= scale;
            }
        }
    }

    /// <summary>The eigenvalues of a symmetric matrix, falling, and its eigenvectors in the same order (cyclic Jacobi).</summary>
    /// <param name="matrix">[n, n]; overwritten.</param>
    public static (double Value, double[] Vector)[] Eigen(double[][] matrix)
    {
        var n = matrix.Length;
        var vectors = new double[n][];
        for (var i = 0; i < n; i++)
        {
            vectors[i] = new double[n];
            vectors[i][i] = 1;
        }

        for (var sweep = 0; sweep < 30; sweep++)
        {
            var (off, all) = (0.0, 0.0);
            for (var p = 0; p < n; p++)
            {
                for (var q = 0; q < n; q++)
                {
                    all += matrix[p][q] * matrix[p][q];
                    off += p == q ? 0 : matrix[p][q] * matrix[p][q];
                }
            }

            if (off <= 1e-20 * all)
            {
                break;
            }

            for (var p = 0; p < n; p++)
            {
                for (var q = p + 1; q < n; q++)
                {
                    Rotate(matrix, vectors, p, q);
                }
            }
        }

        return
        [
            .. Enumerable.Range(0, n)
                .Select(i => (Value: matrix[i][i], Vector: vectors[i]))
                .OrderByDescending(e => e.Value),
        ];
    }

    /// <summary>Makes the element (p, q) zero; row i of <paramref name="vectors"/> is the eigenvector of the i-th diagonal element.</summary>
    private static void Rotate(double[][] matrix, double[][] vectors, int p, int q)
    {
        if (matrix[p][q] == 0)
        {
            return;
        }

        var theta = (matrix[q][q] - matrix[p][p]) / (2 * matrix[p][q]);
        var t = Math.CopySign(1, theta) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
        var cos = 1 / Math.Sqrt((t * t) + 1);
        var sin = t * cos;
        for (var i = 0; i < matrix.Length; i++)
        {
            var (ip, iq) = (matrix[i][p], matrix[i][q]);
            matrix[i][p] = (cos * ip) - (sin * iq);
            matrix[i][q] = (sin * ip) + (cos * iq);
        }

        for (var i = 0; i < matrix.Length; i++)
        {
            var (pi, qi) = (matrix[p][i], matrix[q][i]);
            matrix[p][i] = (cos * pi) - (sin * qi);
            matrix[q][i] = (sin * pi) + (cos * qi);
            (pi, qi) = (vectors[p][i], vectors[q][i]);
            vectors[p][i] = (cos * pi) - (sin * qi);
            vectors[q][i] = (sin * pi) + (cos * qi);
        }
    }
}
