namespace Nearline.Bench;

/// <summary>Rows like those of trained shows: clusters of unequal sizes, norms spread by popularity.</summary>
internal static class Clusters
{
    /// <summary>[count, dimension], row-major.</summary>
    public static float[] Rows(int count, int dimension, int seed)
    {
        var random = new Random(seed);
        var clusters = Math.Max(1, count / 150);
        float[] centres = [.. Enumerable.Range(0, clusters * dimension).Select(_ => Normal(random))];
        var rows = new float[count * dimension];
        for (var row = 0; row < count; row++)
        {
            // The square makes low clusters the large ones.
            var cluster = (int)(Math.Pow(random.NextDouble(), 2) * clusters);
            var norm = MathF.Exp(0.2f * Normal(random)) / MathF.Sqrt(dimension);
            for (var i = 0; i < dimension; i++)
            {
                rows[(row * dimension) + i] = 0.7f * norm * (centres[(cluster * dimension) + i] + Normal(random));
            }
        }

        return rows;
    }

    public static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
