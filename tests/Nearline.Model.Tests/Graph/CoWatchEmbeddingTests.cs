using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Graph;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Graph;

public sealed class CoWatchEmbeddingTests
{
    private static readonly Dataset World = TinyWorld.Create(60);

    [Fact]
    public void The_matrix_is_what_plain_loops_over_users_count()
    {
        var watches = TrainingWatches.Of(World, byFirstWatch: true);
        var matrix = CoWatchEmbedding.Matrix(watches, 1, long.MaxValue);
        for (var i = 0; i < watches.Shows.Count; i++)
        {
            for (var j = 0; j < watches.Shows.Count; j++)
            {
                var sum = 0.0;
                foreach (var user in watches.Users)
                {
                    var (a, b) = (Array.IndexOf(user, i), Array.IndexOf(user, j));
                    var apart = Math.Abs(a - b);
                    sum += a < 0 || b < 0 || i == j || apart > 30 ? 0 : Math.Exp(-(apart - 1) / 5.0) + 0.02;
                }

                var expected = sum == 0 ? 0 : Math.Log(1 + (30 * sum / Math.Sqrt(watches.Watchers[i] * (double)watches.Watchers[j])));
                Assert.Equal(expected, matrix[i].Where(n => n.Column == j).Sum(n => n.Value), 1e-4);
            }
        }
    }

    [Fact]
    public void Products_are_the_matrix_without_its_negative_part()
    {
        var watches = TrainingWatches.Of(World, byFirstWatch: true);
        var matrix = CoWatchEmbedding.Matrix(watches, 1, long.MaxValue);
        var count = watches.Shows.Count;
        var dense = matrix.Select(row => Enumerable.Range(0, count).Select(j => (double)row.Where(n => n.Column == j).Sum(n => n.Value)).ToArray());
        var eigen = Subspace.Eigen([.. dense]);

        var rows = CoWatchEmbedding.Of(World, count, 1);

        var place = World.Shows.Index().ToDictionary(s => s.Item.Id, s => s.Index);
        for (var i = 0; i < count; i++)
        {
            for (var j = 0; j < count; j++)
            {
                var expected = eigen.Sum(e => Math.Max(0, e.Value) * e.Vector[i] * e.Vector[j]);
                var (a, b) = (place[watches.Shows[i].Id] * count, place[watches.Shows[j].Id] * count);
                Assert.Equal(expected, VectorMath.Dot(rows.AsSpan(a, count), rows.AsSpan(b, count)), 1e-3);
            }
        }
    }

    [Fact]
    public void Shows_that_nobody_watched_have_zero_rows_and_equal_seeds_equal_ones()
    {
        var world = World with { Shows = [new Show("unseen", World.Shows[0].Category), .. World.Shows] };
        var rows = CoWatchEmbedding.Of(world, 8, 5);
        Assert.All(rows[..8], value => Assert.Equal(0, value));
        Assert.Contains(rows[8..], value => value != 0);
        Assert.Equal(rows, CoWatchEmbedding.Of(world, 8, 5));
    }

    [Fact]
    public void Counting_a_part_of_the_users_leaves_numbers_about_as_large()
    {
        var world = TinyWorld.Create(600);
        var watches = TrainingWatches.Of(world, byFirstWatch: true);
        var all = CoWatchEmbedding.Matrix(watches, 1, long.MaxValue).Sum(row => row.Sum(n => n.Value));
        var pairs = watches.Users.Sum(u => (long)u.Length * Math.Min(u.Length, 30));
        var part = CoWatchEmbedding.Matrix(watches, 1, pairs / 3).Sum(row => row.Sum(n => n.Value));
        Assert.InRange(part / all, 0.8, 1.1);
    }
}
