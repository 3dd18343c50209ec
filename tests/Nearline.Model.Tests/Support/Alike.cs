using Nearline.Model.Serving;

namespace Nearline.Model.Tests.Support;

/// <summary>
/// Compares what is served from fixed weights with what the same model serves in memory: sums come in another order, so
/// scores differ in their last digits, and shows may change places where scores are that near.
/// </summary>
internal static class Alike
{
    public const float Tolerance = 1e-4f;

    public static void Check(IEnumerable<IReadOnlyList<ScenarioCandidates>> expected, IEnumerable<IReadOnlyList<ScenarioCandidates>> actual)
    {
        var (a, b) = (expected.SelectMany(u => u).ToList(), actual.SelectMany(u => u).ToList());
        Assert.Equal(a.Select(s => s.Scenario), b.Select(s => s.Scenario));
        foreach (var (one, other) in a.Zip(b))
        {
            Assert.Equal(one.Shows.Count, other.Shows.Count);
            var scores = one.Shows.ToDictionary(s => s.ShowId, StringComparer.Ordinal);
            for (var i = 0; i < one.Shows.Count; i++)
            {
                var (before, after) = (one.Shows[i], other.Shows[i]);
                Assert.Equal(before.Score, after.Score, Tolerance);
                if (scores.TryGetValue(after.ShowId, out var same))
                {
                    Assert.Equal(same.Score, after.Score, Tolerance);
                    Assert.Equal(same.IdScore, after.IdScore, Tolerance);
                    Assert.Equal(same.Category, after.Category);
                }
                else
                {
                    // Only the last place may go to a show that was left out by so little.
                    Assert.Equal(one.Shows[^1].Score, after.Score, Tolerance);
                }
            }
        }
    }
}
