using Nearline.Model.Index;
using Nearline.Model.Index.Hnsw;

namespace Nearline.Model.Tests.Index.Hnsw;

/// <summary>Rows in clusters, their norms spread, and queries of the same kind.</summary>
internal sealed record HnswData(int Count, int Dimension, float[] Rows, float[] Queries)
{
    public const int QueryCount = 50;

    /// <summary>A search walks through the graph, however few rows there are.</summary>
    public static SearchCost AlwaysWalk { get; } = new() { RowOfWalk = 0 };

    /// <param name="seed">Of all.</param>
    /// <param name="count">Rows.</param>
    /// <param name="dimension">Values a row.</param>
    /// <param name="normSpread">Standard deviation of the norms' logarithm.</param>
    public static HnswData Create(int seed, int count, int dimension, double normSpread)
    {
        const int RowsOfCluster = 100;
        var random = new Random(seed);
        var centres = Normals(random, Math.Max(1, count / RowsOfCluster) * dimension);
        float[] Draw(int rows)
        {
            var values = Normals(random, rows * dimension);
            for (var row = 0; row < rows; row++)
            {
                var centre = random.Next(centres.Length / dimension) * dimension;
                var norm = Math.Exp(normSpread * Normals(random, 1)[0]);
                for (var i = 0; i < dimension; i++)
                {
                    values[(row * dimension) + i] = (float)(norm * ((0.5 * values[(row * dimension) + i]) + centres[centre + i]));
                }
            }

            return values;
        }

        return new HnswData(count, dimension, Draw(count), Draw(QueryCount));
    }

    /// <summary>The share of the best rows that were found.</summary>
    public static double Recall(SearchResult[] found, SearchResult[] best) =>
        found.Zip(best).Average(f => f.Second.Rows.Length == 0 ? 1 : (double)f.First.Rows.Intersect(f.Second.Rows).Count() / f.Second.Rows.Length);

    public HnswIndex Build(HnswSettings? settings = null) => HnswIndex.Build(Rows, Dimension, settings);

    private static float[] Normals(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
}
