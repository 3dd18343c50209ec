using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Serving;

public sealed class NewShowPlacesTests
{
    [Theory]
    [InlineData(0, 100, 1, 0)]
    [InlineData(5, 95, 1, 0.05)]
    [InlineData(5, 95, 2, 0.1)]
    [InlineData(5, 95, 0, 0)]
    [InlineData(3, 0, 1, 0.2)]
    [InlineData(500, 500, 1, 0.2)]
    public void Their_share_is_that_of_what_a_user_may_get_within_bounds(int newShows, int known, double boost, double share) =>
        Assert.Equal(share, NewShowPlaces.Of(newShows, known, boost).Share, 1e-12);

    [Fact]
    public void A_show_that_no_score_would_bring_stands_where_its_share_says()
    {
        var known = new SearchResult([4, 2, 0, 1, 3], [9, 8, 7, 6, 5]);
        var merged = new NewShowPlaces(0.2).Merge(known, new SearchResult([1, 0], [-1, -2]), 5, 7);
        Assert.Equal([4, 2, 6, 0, 1, 3, 5], merged.Rows);
        Assert.Equal([9, 8, 7, 7, 6, 5, -2], merged.Scores);
    }

    [Fact]
    public void Merging_keeps_both_orders_and_gives_new_shows_their_places_and_no_more_by_force() => Prop.ForAll(Seeds.Any, seed =>
    {
        var random = new Random(seed);
        var (known, side) = (Ranked(random, random.Next(60)), Ranked(random, random.Next(30)));
        var share = random.Next(3) == 0 ? 0 : random.NextDouble() * NewShowPlaces.MaxShare;
        var limit = random.Next(1, 100);
        const int Offset = 1000;
        var merged = new NewShowPlaces(share).Merge(known, side, Offset, limit);

        Assert.Equal(Math.Min(limit, known.Rows.Length + side.Rows.Length), merged.Rows.Length);
        int[] news = [.. merged.Rows.Where(r => r >= Offset).Select(r => r - Offset)];
        int[] olds = [.. merged.Rows.Where(r => r < Offset)];
        Assert.Equal(side.Rows[..news.Length], news);
        Assert.Equal(known.Rows[..olds.Length], olds);
        var count = 0;
        for (var i = 0; i < merged.Rows.Length; i++)
        {
            var isNew = merged.Rows[i] >= Offset;
            var (k, due) = (i - count, (int)Math.Round((i + 1) * share, MidpointRounding.AwayFromZero));
            if (isNew)
            {
                Assert.Equal(k == known.Rows.Length ? side.Scores[count] : Math.Max(side.Scores[count], known.Scores[k]), merged.Scores[i]);
                Assert.True(count < due || k == known.Rows.Length || side.Scores[count] > known.Scores[k], "a place that neither score nor share gave");
                count++;
            }
            else
            {
                Assert.Equal(known.Scores[k], merged.Scores[i]);
                Assert.True(count == side.Rows.Length || known.Scores[k] >= side.Scores[count], "a known show before a better new one");
            }

            Assert.True(i == 0 || merged.Scores[i - 1] >= merged.Scores[i], $"the score of place {i}");
            Assert.True(count >= Math.Min(due, side.Rows.Length), $"{count} of {due} due among the first {i + 1}");
        }
    }).QuickCheckThrowOnFailure();

    // Few distinct scores, so that many are equal.
    private static SearchResult Ranked(Random random, int count) => new(
        [.. Enumerable.Range(0, count).OrderBy(_ => random.Next())],
        [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(12)).OrderDescending()]);
}
