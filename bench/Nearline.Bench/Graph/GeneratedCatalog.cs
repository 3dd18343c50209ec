using Nearline.Model.Behaviours;
using Nearline.Model.Data;

namespace Nearline.Bench.Graph;

/// <summary>
/// A catalog of any size that has something to find: each show belongs to a hidden group, which has names and words of
/// its own. Half of a show's names are its group's, half anyone's, and popular names are popular with many groups.
/// </summary>
/// <param name="Shows">The catalog.</param>
/// <param name="Groups">Each show's group.</param>
/// <param name="GroupCount">Groups.</param>
internal sealed record GeneratedCatalog(IReadOnlyList<Show> Shows, int[] Groups, int GroupCount)
{
    private const int ShowsOfGroup = 200;
    private const double OfGroup = 0.5;

    /// <summary>Category, era and text: every show has one of each.</summary>
    private const int OtherEdges = 3;

    private const int Letters = 7;

    /// <summary>The share of two shows in one group, for shows drawn at random.</summary>
    public double Chance => Groups.GroupBy(g => g).Sum(g => g.Count() * (g.Count() - 1.0)) / ((double)Groups.Length * (Groups.Length - 1));

    /// <summary>Generates.</summary>
    /// <param name="shows">Shows.</param>
    /// <param name="edges">Edges of the metagraph, about.</param>
    /// <param name="seed">Equal seeds give equal catalogs.</param>
    public static GeneratedCatalog Generate(int shows, int edges, int seed)
    {
        var random = new Random(seed);
        var groups = Math.Max(2, shows / ShowsOfGroup);
        var names = ((double)edges / shows) - OtherEdges;
        if (names < 4)
        {
            throw new ArgumentException($"--edges: {edges}; must be at least {(OtherEdges + 4) * shows}, {OtherEdges + 4} a show", nameof(edges));
        }

        var tags = new Names("tag", Math.Max(50, shows / 50), 12, groups, random);
        var cast = new Names("actor", Math.Max(100, shows), 60, groups, random);
        var directors = new Names("director", Math.Max(50, shows / 5), 15, groups, random);
        var brands = new Names("brand", Math.Max(20, shows / 50), 6, groups, random);
        var words = new Names("", 5000, 20, groups, random);
        var result = new Show[shows];
        var groupOf = new int[shows];
        for (var i = 0; i < shows; i++)
        {
            var group = groupOf[i] = random.Next(groups);
            string[] Draw(Names of, double mean) => of.Draw(group, Math.Max(1, (int)Math.Round(mean * (0.5 + random.NextDouble()))), random);
            result[i] = new Show($"show-{i}", (ShowCategory)(1 + (((group % 3) + (random.Next(4) == 0 ? 1 : 0)) % 3)))
            {
                Tags = Draw(tags, names * 0.35),
                Cast = Draw(cast, names * 0.5),
                Directors = Draw(directors, names * 0.09),
                Brands = Draw(brands, names * 0.06),
                ReleaseYear = 1950 + (int)(75 * Math.Sqrt(random.NextDouble())),
                Title = string.Join(' ', words.Draw(group, 3, random)),
                Description = string.Join(' ', words.Draw(group, 6, random)),
            };
        }

        return new GeneratedCatalog(result, groupOf, groups);
    }

    /// <summary>The names of a kind: some are drawn far oftener than others, and each group has its own.</summary>
    private sealed class Names
    {
        private readonly string[] all;
        private readonly double[] cumulative;
        private readonly int[][] ofGroups;

        public Names(string prefix, int count, int ofGroup, int groups, Random random)
        {
            all = [.. Enumerable.Range(0, count).Select(i => prefix.Length > 0 ? $"{prefix} {i}" : Word(random))];
            cumulative = new double[count];
            var total = 0.0;
            for (var i = 0; i < count; i++)
            {
                total += Math.Pow(i + 1, -0.8);
                cumulative[i] = total;
            }

            ofGroups = [.. Enumerable.Range(0, groups).Select(_ => Distinct(ofGroup, () => Any(random)))];
        }

        /// <summary>Names of a show of a group, each once.</summary>
        public string[] Draw(int group, int count, Random random)
        {
            var own = ofGroups[group];
            return [.. Distinct(count, () => random.NextDouble() < OfGroup ? own[random.Next(own.Length)] : Any(random)).Select(i => all[i])];
        }

        private static string Word(Random random) => string.Concat(
            Enumerable.Range(0, Letters).Select(i => i % 2 == 0 ? "bcdfghklmnprstvz"[random.Next(16)] : "aeiou"[random.Next(5)]));

        private static int[] Distinct(int count, Func<int> draw)
        {
            var chosen = new List<int>(count);
            while (chosen.Count < count)
            {
                var next = draw();
                if (!chosen.Contains(next))
                {
                    chosen.Add(next);
                }
            }

            return [.. chosen];
        }

        private int Any(Random random)
        {
            var at = Array.BinarySearch(cumulative, random.NextDouble() * cumulative[^1]);
            return Math.Min(at < 0 ? ~at : at, all.Length - 1);
        }
    }
}
