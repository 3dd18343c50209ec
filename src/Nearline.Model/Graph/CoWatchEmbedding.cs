using System.Runtime.InteropServices;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;

namespace Nearline.Model.Graph;

/// <summary>
/// Show embeddings from what is watched close together: inner products approximate how much oftener than by chance two
/// shows are neighbours in users' logs.
/// </summary>
/// <remarks>
/// What skip-gram with negatives learns from the same logs, in closed form (Levy and Goldberg, "Neural word embedding as
/// implicit matrix factorization", NIPS 2014): the leading eigenvectors of <see cref="Matrix"/>, each times the root of
/// its eigenvalue. No training, deterministic for a seed.
/// </remarks>
internal static class CoWatchEmbedding
{
    /// <summary>Watches after a watch that count as its neighbours.</summary>
    internal const int Window = 30;

    /// <summary>Watches over which the kernel falls to 1 / e.</summary>
    private const double Reach = 5;

    /// <summary>What the kernel falls to: that one user watched both says something at any distance.</summary>
    private const double Floor = 0.02;

    /// <summary>How steeply the logarithm starts; about the inverse of the matrix's typical number.</summary>
    private const double Contrast = 30;

    private const int Iterations = 12;

    /// <summary>Embeds the shows of a training part.</summary>
    /// <param name="train">What to learn from.</param>
    /// <param name="width">Numbers a show.</param>
    /// <param name="seed">Of the random start of the subspace iteration and of the users left out.</param>
    /// <param name="maxPairs">Neighbours to count; of more, a random part of the users is read.</param>
    /// <returns>
    /// [shows, width], row-major, in the order of the catalog; zero rows for shows that nobody watched beside another.
    /// </returns>
    public static float[] Of(Dataset train, int width, int seed, long maxPairs = 30_000_000)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        var watches = TrainingWatches.Of(train, byFirstWatch: true);
        var matrix = Matrix(watches, seed, maxPairs);
        var count = matrix.Length;

        // Twice as wide as asked for, since about as many of the large eigenvalues are negative as positive.
        var basis = Subspace.Random(Math.Min(count, (2 * width) + 16), count, seed);
        Subspace.Orthonormalize(basis);
        for (var i = 0; i < Iterations; i++)
        {
            basis = Subspace.Multiply(matrix, basis);
            Subspace.Orthonormalize(basis);
        }

        var images = Subspace.Multiply(matrix, basis);
        var eigen = Subspace.Eigen([.. basis.Select(a => images.Select(b => (double)VectorMath.Dot(a, b)).ToArray())]);
        var place = train.Shows.Index().ToDictionary(s => s.Item.Id, s => s.Index, StringComparer.Ordinal);
        var result = new float[count * width];
        var column = new float[count];
        for (var c = 0; c < Math.Min(width, basis.Length); c++)
        {
            var root = Math.Sqrt(Math.Max(0, eigen[c].Value));
            Array.Clear(column);
            for (var k = 0; k < basis.Length; k++)
            {
                VectorMath.AddScaled((float)(eigen[c].Vector[k] * root), basis[k], column);
            }

            for (var row = 0; row < count; row++)
            {
                result[(place[watches.Shows[row].Id] * width) + c] = column[row];
            }
        }

        return result;
    }

    /// <summary>
    /// The matrix log(1 + 30 C[i, j] / sqrt(n[i] n[j])), sparse and symmetric with a zero diagonal: C sums a kernel of how
    /// many watches lie between the two over the users who watched both, n counts a show's watchers.
    /// </summary>
    internal static List<(int Column, float Value)>[] Matrix(TrainingWatches watches, int seed, long maxPairs)
    {
        var count = watches.Shows.Count;
        var pairs = watches.Users.Sum(u => (long)u.Length * Math.Min(u.Length, Window));
        var part = Math.Min(1, (double)maxPairs / Math.Max(1, pairs));
        var random = new Random(seed);
        var near = new Dictionary<(int Low, int High), double>();
        foreach (var user in watches.Users)
        {
            if (part < 1 && random.NextDouble() >= part)
            {
                continue;
            }

            for (var a = 0; a < user.Length; a++)
            {
                for (var b = a + 1; b < Math.Min(user.Length, a + Window + 1); b++)
                {
                    var key = (Math.Min(user[a], user[b]), Math.Max(user[a], user[b]));
                    CollectionsMarshal.GetValueRefOrAddDefault(near, key, out _) += Math.Exp(-(b - a - 1) / Reach) + Floor;
                }
            }
        }

        var rows = new List<(int, float)>[count];
        for (var i = 0; i < count; i++)
        {
            rows[i] = [];
        }

        foreach (var ((i, j), sum) in near)
        {
            var expected = part * Math.Sqrt((double)watches.Watchers[i] * watches.Watchers[j]);
            var value = (float)Math.Log(1 + (Contrast * sum / expected));
            rows[i].Add((j, value));
            rows[j].Add((i, value));
        }

        return rows;
    }
}
