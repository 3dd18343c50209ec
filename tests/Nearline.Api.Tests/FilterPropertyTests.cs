using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Catalog.V1;
using Nearline.Contracts.Storage.V1;

namespace Nearline.Api.Tests;

/// <summary>What comes over the wire is what a plain filter over the stored messages gives.</summary>
[Collection(RedisCollection.Name)]
public sealed class FilterPropertyTests(SharedRedis redis) : ApiFixture(redis)
{
    private static readonly string[] Pool =
        [.. Enumerable.Range(0, 60).Select(i => i % 7 == 0 ? $"sh\u00f6w \u756a{i}" : $"show-{i}")];

    [Fact]
    public void Response_is_the_reference_filter_of_the_stored_set()
    {
        var property = Prop.ForAll(Arb.From(Cases()), example => Holds(example));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(150), property);
    }

    private bool Holds(Example example)
    {
        var user = Seeder.NewUser();
        Seed.SetAsync(user, Seeder.Home, example.Set).GetAwaiter().GetResult();
        Seed.WatchedAsync(user, example.Watched).GetAwaiter().GetResult();
        var request = new GetCandidatesRequest
        {
            UserId = user,
            Scenario = Seeder.Home,
            Limit = example.Limit,
            ExcludeItemIds = { example.Excluded },
            Categories = { example.Categories },
        };

        var response = Api.Client.GetCandidates(request);

        var expected = Enumerable.Range(0, example.Set.ShowIds.Count)
            .Where(i => !example.Watched.Contains(example.Set.ShowIds[i]))
            .Where(i => !example.Excluded.Contains(example.Set.ShowIds[i]))
            .Where(i => example.Categories.Length == 0 || example.Categories.Contains((ShowCategory)example.Set.Categories[i]))
            .Take(example.Limit == 0 ? int.MaxValue : example.Limit)
            .Select(i => (example.Set.ShowIds[i], example.Set.Scores[i], example.Set.IdScores[i]))
            .ToArray();
        Assert.Equal(expected, response.Candidates.Select(c => (c.ItemId, c.Score, c.IdScore)));
        Assert.DoesNotContain(response.Candidates, c => example.Watched.Contains(c.ItemId) || example.Excluded.Contains(c.ItemId));
        Assert.Equal(response.Candidates.OrderByDescending(c => c.Score), response.Candidates);
        return true;
    }

    private static Gen<Example> Cases() =>
        from shows in Gen.Shuffle(Pool)
        from count in Gen.Choose(0, Pool.Length)
        from scores in Gen.Choose(-1000, 1000).ArrayOf(count)
        from parts in Gen.Choose(-1000, 1000).ArrayOf(count)
        from kinds in Gen.Choose(1, 3).ArrayOf(count)
        from watched in Gen.SubListOf(Pool)
        from watchedAtAll in Gen.Elements(true, true, false)
        from excluded in Gen.SubListOf(Pool)
        from excludedAtAll in Gen.Elements(true, false)
        from categories in Gen.SubListOf(new[] { ShowCategory.Series, ShowCategory.Movie, ShowCategory.Live })
        from limit in Gen.Choose(0, 70)
        select new Example(
            new RetrievalSet
            {
                ShowIds = { shows.Take(count) },
                Scores = { scores.OrderDescending().Select(score => score / 64f) },
                IdScores = { parts.Select(part => part / 64f) },
                Categories = ByteString.CopyFrom([.. kinds.Select(kind => (byte)kind)]),
            },
            watchedAtAll ? [.. watched.Take(20)] : [],
            excludedAtAll ? [.. excluded.Take(20)] : [],
            [.. categories],
            limit);

    private sealed record Example(
        RetrievalSet Set, string[] Watched, string[] Excluded, ShowCategory[] Categories, int Limit);
}
