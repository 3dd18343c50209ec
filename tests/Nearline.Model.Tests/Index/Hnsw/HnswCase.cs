using Nearline.Model.Index;
using Nearline.Model.Index.Hnsw;

namespace Nearline.Model.Tests.Index.Hnsw;

/// <summary>Any rows, queries and masks: duplicates and zeros, whole numbers and not, tiny and huge.</summary>
internal sealed record HnswCase(
    int Count, int Dimension, int Limit, float[] Rows, float[] Queries, List<ItemMask?> Masks, HnswSettings Settings)
{
    public static HnswCase Create(int seed)
    {
        var random = new Random(seed);
        var (count, dimension, batch) = (random.Next(300), random.Next(1, 70), random.Next(0, 5));
        var isWhole = random.Next(2) == 0;
        var scale = random.Next(4) switch { 0 => 1e-30f, 1 => 1e30f, _ => 1f };
        float[] Draw(int rows) => [.. Enumerable.Range(0, rows).SelectMany(_ =>
        {
            var norm = random.Next(5) switch { 0 => 0, 1 => 20, _ => 1 };
            return Enumerable.Range(0, dimension).Select(_ => scale * norm * (isWhole ? random.Next(-1, 2) : random.NextSingle() - 0.3f)).ToArray();
        })];
        List<ItemMask?> masks = random.Next(3) == 0 ? [] : [.. Enumerable.Range(0, batch).Select(_ => random.Next(4) switch
        {
            0 => null,
            1 => ItemMask.None(count),
            2 => ItemMask.Of(count, _ => random.Next(20) == 0),
            _ => ItemMask.Of(count, _ => random.Next(3) != 0),
        })];
        var settings = new HnswSettings
        {
            Links = random.Next(2, 9),
            ConstructionBreadth = random.Next(1, 50),
            Seed = (ulong)random.NextInt64(),
            Threads = random.Next(1, 4),
            BuildThreads = random.Next(1, 4),
        };
        return new HnswCase(count, dimension, random.Next(1, 40), Draw(count), Draw(batch), masks, settings);
    }

    public static void AssertEqual(SearchResult[] expected, SearchResult[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        foreach (var (one, other) in expected.Zip(found))
        {
            Assert.Equal(one.Rows, other.Rows);
            Assert.Equal(one.Scores.Select(BitConverter.SingleToInt32Bits), other.Scores.Select(BitConverter.SingleToInt32Bits));
        }
    }
}
