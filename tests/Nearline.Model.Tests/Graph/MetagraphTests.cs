using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Graph;

namespace Nearline.Model.Tests.Graph;

public sealed class MetagraphTests
{
    [Fact]
    public void Shows_are_joined_to_what_they_have_in_both_directions()
    {
        var graph = Metagraph.Of(
        [
            new Show("a", ShowCategory.Movie) { Tags = ["Noir", "noir ", ""], Directors = ["D"], Brands = ["B"], ReleaseYear = 1994, Title = "Night" },
            new Show("b", ShowCategory.Movie) { Tags = ["NOIR", "War"], Cast = ["D"], Brands = ["b"], ReleaseYear = 1990 },
            new Show("c", ShowCategory.Live) { ReleaseYear = 1995 },
        ]);
        Assert.Equal(["NOIR", "WAR"], graph.Of(MetaNodeKind.Tag).Names);
        Assert.Equal(["1990", "1995"], graph.Of(MetaNodeKind.Era).Names);
        Assert.Equal(["MOVIE", "LIVE"], graph.Of(MetaNodeKind.Category).Names);
        Assert.Equal(["D"], graph.Of(MetaNodeKind.Cast).Names);
        Assert.Equal(["a"], graph.Of(MetaNodeKind.Text).Names);
        Assert.Empty(graph.Of(MetaNodeKind.Visual).Names);
        Assert.Equal([0, 1], graph.Of(MetaNodeKind.Brand).Shows[0].ToArray());
        Assert.Equal([0, 1], graph.Of(MetaNodeKind.Tag).OfShows[1].ToArray());
        Assert.Equal([1], graph.Of(MetaNodeKind.Tag).Shows[1].ToArray());

        // 3 shows; tags 3-4, cast 5, director 6, brand 7, categories 8-9, eras 10-11, text 12.
        Assert.Equal(13, graph.Nodes);
        Assert.Equal([3, 6, 7, 8, 10, 12], graph.Neighbours[0].ToArray());
        Assert.Equal([3, 4, 5, 7, 8, 10], graph.Neighbours[1].ToArray());
        Assert.Equal([9, 11], graph.Neighbours[2].ToArray());
        Assert.Equal([0, 1], graph.Neighbours[8].ToArray());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_report_agrees_with_a_plain_count(int seed)
    {
        var random = new Random(seed);
        string[] Some(string prefix, int kinds) => [.. Enumerable.Range(0, random.Next(4)).Select(_ => prefix + random.Next(kinds)).Distinct()];
        Show[] shows =
        [
            .. Enumerable.Range(0, 60).Select(i => new Show($"s{i}", (ShowCategory)(1 + random.Next(3)))
            {
                Title = random.Next(3) == 0 ? "" : $"title {i}",
                Tags = Some("t", 30),
                Cast = Some("c", 80),
                Directors = Some("d", 60),
                Brands = random.Next(2) == 0 ? [] : Some("b", 10),
                ReleaseYear = random.Next(4) == 0 ? null : 1980 + random.Next(40),
            }),
        ];
        var visual = new NodeVectors([.. shows.Take(7).Select(s => s.Id)], 2, [.. Enumerable.Range(1, 14).Select(i => (float)i)]);
        var report = MetagraphReport.Of(Metagraph.Of(shows, visual: visual));

        (MetaNodeKind Kind, Func<Show, IEnumerable<string>> Values)[] kinds =
        [
            (MetaNodeKind.Tag, s => s.Tags), (MetaNodeKind.Cast, s => s.Cast), (MetaNodeKind.Director, s => s.Directors),
            (MetaNodeKind.Brand, s => s.Brands), (MetaNodeKind.Category, s => [s.Category.ToString()]),
            (MetaNodeKind.Era, s => s.ReleaseYear is { } year ? [$"{year / 5}"] : []),
            (MetaNodeKind.Text, s => s.Title.Length > 0 ? [s.Id] : []),
            (MetaNodeKind.Visual, s => int.Parse(s.Id[1..], System.Globalization.CultureInfo.InvariantCulture) < 7 ? [s.Id] : []),
        ];
        var degrees = kinds.Select(k => shows.SelectMany(k.Values).CountBy(v => v).ToDictionary()).ToList();
        Assert.Equal(
            kinds.Select((k, i) => new MetaNodeCount(
                k.Kind, degrees[i].Count, degrees[i].Values.Sum(), degrees[i].Values.Count(d => d == 1), degrees[i].Values.Max())),
            report.Kinds);
        Assert.Equal((60, degrees.Sum(d => d.Count), degrees.Sum(d => d.Values.Sum())), (report.Shows, report.MetaNodes, report.Edges));
        Assert.Equal(
            shows.Count(s => Enumerable.Range(0, 4).All(k => kinds[k].Values(s).All(v => degrees[k][v] == 1))),
            report.IsolatedShows);
        Assert.InRange(report.IsolatedShows, 1, 59);

        static IEnumerable<DegreeCount> Histogram(IEnumerable<int> degrees)
        {
            (int From, int To)[] bars = [(0, 0), (1, 1), (2, 3), (4, 7), (8, 15), (16, 31), (32, 63), (64, 127)];
            return bars.Select(b => new DegreeCount(b.From, b.To, degrees.Count(d => d >= b.From && d <= b.To))).Where(b => b.Nodes > 0);
        }

        Assert.Equal(Histogram(shows.Select(s => kinds.Sum(k => k.Values(s).Count()))), report.ShowDegrees);
        Assert.Equal(Histogram(degrees.Take(6).SelectMany(d => d.Values)), report.NodeDegrees);
    }

    [Fact]
    public void A_catalog_or_vectors_that_do_not_fit_are_refused()
    {
        Show[] shows = [new("a", ShowCategory.Movie), new("a", ShowCategory.Live)];
        Assert.Contains("'a': given twice", Assert.Throws<ArgumentException>(() => Metagraph.Of(shows)).Message, StringComparison.Ordinal);
        var error = Assert.Throws<ArgumentException>(() => Metagraph.Of(shows[..1], visual: new NodeVectors(["b"], 1, [1])));
        Assert.StartsWith("visual: none of its 1 ids is a show of the catalog; it begins with 'b', the catalog with 'a'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Walks_meet_shows_oftener_the_rarer_what_they_share()
    {
        // The first three share a common tag with many; the first two a rare one too. The last is alone.
        Show[] shows =
        [
            .. Enumerable.Range(0, 12).Select(i => new Show($"s{i}", ShowCategory.Movie) { Tags = i < 2 ? ["common", "rare"] : ["common"] }),
            new Show("alone", ShowCategory.Live) { Tags = ["own"] },
        ];
        var walks = new MetagraphWalks(Metagraph.Of(shows));
        Assert.Equal(Enumerable.Range(0, 12), walks.Starts);
        var pairs = walks.Pairs(500, 1, new Random(1));
        Assert.Equal(12 * 500, pairs.Length);
        Assert.All(pairs, p => Assert.NotEqual(p.Start, p.Met));

        // 13 shows: a tag of two weighs log(14 / 2), tag and category of twelve log(14 / 12) each.
        var (rare, common) = (Math.Log(14.0 / 2), 2 * Math.Log(14.0 / 12));
        var expected = (rare + (common / 11)) / (rare + common);
        Assert.Equal(expected, pairs.Count(p => p is (0, 1)) / 500.0, 0.06);
        Assert.Equal(1.0 / 11, pairs.Count(p => p is (5, 1)) / 500.0, 0.05);

        var negatives = walks.Negatives(20_000, new Random(1)).CountBy(n => n).ToDictionary();
        Assert.Equal(Math.Pow(3.0 / 2, 0.75), (double)negatives[0] / negatives[5], 0.15);
    }

    [Fact]
    public void Neighbours_are_drawn_without_replacement_and_evenly()
    {
        var graph = Metagraph.Of([.. Enumerable.Range(0, 10).Select(i => new Show($"s{i}", ShowCategory.Movie) { Tags = i == 0 ? ["x", "y"] : ["x"] })]);
        var sampler = new NeighbourSampler(graph);
        var random = new Random(1);
        int[] all = [.. graph.Neighbours[0]];
        var drawn = all.ToDictionary(n => n, _ => 0);
        for (var i = 0; i < 2000; i++)
        {
            var sample = sampler.Draw([5, 0], [2, 3], random);
            Assert.Equal(2, sample.Width);
            Assert.All(sample.Counts, c => Assert.Equal(1, c));
            int[] Of(int row) => [.. Enumerable.Range(0, 2).Select(k => sample.Nodes[sample.Neighbours[(row * 2) + k]])];

            // The one has two nodes, both taken; of the other's three two are drawn.
            Assert.Equal(graph.Neighbours[5].ToArray(), Of(0).Order());
            var few = Of(1);
            Assert.Equal(2, few.Distinct().Count());
            Array.ForEach(few, node => drawn[node]++);
            Assert.Equal(Of(0).Union(few).Order(), sample.Nodes);
        }

        Assert.Equal(3, all.Length);
        Assert.All(drawn.Values, d => Assert.InRange(d, 1270, 1400));
    }

    [Fact]
    public void Shows_of_a_node_are_drawn_evenly_and_told_apart_by_category()
    {
        var graph = Metagraph.Of([.. Enumerable.Range(0, 10).Select(i => new Show($"s{i}", (ShowCategory)(1 + (i % 2))) { Tags = i < 4 ? ["x", "y"] : ["x"] })]);
        var sampler = new NeighbourSampler(graph);
        Assert.Equal([5, 5, 0, 2, 2, 0], sampler.CategoriesOf([graph.Offsets[0], graph.Offsets[0] + 1]));
        var random = new Random(1);
        var series = 0.0;
        for (var i = 0; i < 2000; i++)
        {
            var sample = sampler.Draw([0], [9, 3], random);
            Assert.Equal(graph.Neighbours[0].ToArray(), sample.Nodes);
            Assert.Equal(3, sample.Categories[..3].Sum());
            Assert.InRange(sample.Categories[..3].Max(), 2, 3);
            series += sample.Categories[0];
        }

        Assert.Equal(1.5, series / 2000, 0.06);
    }
}
