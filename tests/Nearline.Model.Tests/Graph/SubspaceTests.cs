using Nearline.Model.Graph;

namespace Nearline.Model.Tests.Graph;

public sealed class SubspaceTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(17)]
    public void Eigenvectors_are_orthonormal_and_make_the_matrix_again(int n)
    {
        var random = new Random(n);
        var matrix = new double[n][];
        for (var i = 0; i < n; i++)
        {
            matrix[i] = new double[n];
            for (var j = 0; j <= i; j++)
            {
                matrix[i][j] = matrix[j][i] = random.NextDouble() - 0.5;
            }
        }

        var eigen = Subspace.Eigen([.. matrix.Select(row => row.ToArray())]);

        Assert.Equal(eigen.Select(e => e.Value).OrderDescending(), eigen.Select(e => e.Value));
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                Assert.Equal(i == j ? 1 : 0, eigen[i].Vector.Zip(eigen[j].Vector, (a, b) => a * b).Sum(), 1e-9);
                Assert.Equal(matrix[i][j], eigen.Sum(e => e.Value * e.Vector[i] * e.Vector[j]), 1e-9);
            }
        }
    }
}
