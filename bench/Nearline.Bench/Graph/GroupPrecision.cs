using Nearline.Model;

namespace Nearline.Bench.Graph;

/// <summary>Whether embeddings found the hidden groups: how many of the shows nearest to a show are of its group.</summary>
internal static class GroupPrecision
{
    private const int Nearest = 10;

    /// <summary>The mean share among the ten nearest by cosine.</summary>
    /// <param name="embeddings">[shows, width], row-major.</param>
    /// <param name="groups">Each show's group.</param>
    /// <param name="sampled">Shows asked for, drawn at random.</param>
    public static double Of(ReadOnlyMemory<float> embeddings, int[] groups, int sampled)
    {
        var width = embeddings.Length / groups.Length;
        var scales = new float[groups.Length];
        for (var i = 0; i < scales.Length; i++)
        {
            var row = Row(i);
            scales[i] = 1 / MathF.Max(MathF.Sqrt(VectorMath.Dot(row, row)), 1e-12f);
        }

        ReadOnlySpan<float> Row(int show) => embeddings.Span.Slice(show * width, width);
        var found = 0;
        var asked = Enumerable.Range(0, groups.Length).ToArray();
        new Random(1).Shuffle(asked);
        asked = asked[..Math.Min(sampled, asked.Length)];
        foreach (var show in asked)
        {
            // The smallest goes first.
            var nearest = new PriorityQueue<int, float>();
            for (var other = 0; other < groups.Length; other++)
            {
                var cosine = VectorMath.Dot(Row(show), Row(other)) * scales[other];
                if (other == show || (nearest.Count == Nearest && !(cosine > nearest.PeekPriority())))
                {
                    continue;
                }

                nearest.Enqueue(other, cosine);
                if (nearest.Count > Nearest)
                {
                    nearest.Dequeue();
                }
            }

            found += nearest.UnorderedItems.Count(n => groups[n.Element] == groups[show]);
        }

        return (double)found / (asked.Length * Nearest);
    }

    private static float PeekPriority(this PriorityQueue<int, float> queue) =>
        queue.TryPeek(out _, out var priority) ? priority : float.NegativeInfinity;
}
