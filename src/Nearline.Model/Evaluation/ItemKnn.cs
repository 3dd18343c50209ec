using Nearline.Model.Data;

namespace Nearline.Model.Evaluation;

/// <summary>
/// Item-based nearest neighbours: two shows are as near as the cosine of their watchers,
/// |both| / sqrt(|one| |other|), and a show scores the sum of its nearness to those of its nearest k
/// that are in the history. Source: Deshpande and Karypis, Item-based top-N recommendation algorithms, 2004.
/// </summary>
public sealed class ItemKnn : ScoringBaseline
{
    /// <summary>Neighbours of a show unless told otherwise.</summary>
    public const int UsualNeighbours = 20;

    /// <summary>Watches that count unless told otherwise.</summary>
    public const int UsualHistory = 50;

    // By a watched row: the shows that have it among their nearest.
    private readonly List<(int Row, float Nearness)>[] nearTo;

    private ItemKnn(Dataset train, TrainingWatches watches, int neighbours, int history)
        : base("itemknn", train, watches, history) => nearTo = Find(watches, neighbours);

    /// <summary>Finds each show's neighbours in the training part.</summary>
    /// <param name="train">The training part.</param>
    /// <param name="neighbours">How many, from one. Equally near: the more watched first.</param>
    /// <param name="history">The last so many watched shows score, from one.</param>
    public static ItemKnn Of(Dataset train, int neighbours = UsualNeighbours, int history = UsualHistory)
    {
        ArgumentNullException.ThrowIfNull(train);
        ArgumentOutOfRangeException.ThrowIfLessThan(neighbours, 1);
        return new ItemKnn(train, TrainingWatches.Of(train), neighbours, history);
    }

    private protected override void Score(IReadOnlyList<ArraySegment<int>> histories, IReadOnlyList<Memory<float>> scores)
    {
        for (var user = 0; user < histories.Count; user++)
        {
            Score(histories[user], scores[user].Span);
        }
    }

    private void Score(ReadOnlySpan<int> history, Span<float> scores)
    {
        foreach (var watched in history)
        {
            foreach (var (row, nearness) in nearTo[watched])
            {
                scores[row] += nearness;
            }
        }
    }

    private static List<(int Row, float Nearness)>[] Find(TrainingWatches watches, int limit)
    {
        var usersOf = Enumerable.Range(0, watches.Shows.Count).Select(_ => new List<int[]>()).ToArray();
        foreach (var user in watches.Users)
        {
            foreach (var row in user)
            {
                usersOf[row].Add(user);
            }
        }

        var together = new int[usersOf.Length];
        var near = usersOf.Select(_ => new List<(int Row, float Nearness)>()).ToArray();
        for (var show = 0; show < usersOf.Length; show++)
        {
            var met = new List<int>();
            foreach (var row in usersOf[show].SelectMany(u => u))
            {
                if (row != show && together[row]++ == 0)
                {
                    met.Add(row);
                }
            }

            var size = usersOf[show].Count;
            var nearest = met
                .Select(row => (Row: row, Nearness: (float)(together[row] / Math.Sqrt((double)size * usersOf[row].Count))))
                .OrderByDescending(n => n.Nearness).ThenBy(n => n.Row).Take(limit);
            foreach (var (row, nearness) in nearest)
            {
                near[row].Add((show, nearness));
            }

            foreach (var row in met)
            {
                together[row] = 0;
            }
        }

        return near;
    }
}
