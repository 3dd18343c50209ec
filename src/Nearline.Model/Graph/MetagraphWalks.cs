namespace Nearline.Model.Graph;

/// <summary>Random walks over a metagraph, and negatives: what the unsupervised objective learns from.</summary>
/// <remarks>
/// A step goes from a show to one of its named nodes, and to any other of that node's shows. A node is chosen by the
/// logarithm of how rare it is, so two shows meet the oftener the rarer what they share; one that no other show has is
/// never chosen.
/// </remarks>
internal sealed class MetagraphWalks
{
    private const double NegativePower = 0.75;

    private readonly Metagraph graph;
    private readonly double[] weights;
    private readonly double[] cumulativeNegatives;
    private readonly int named;

    public MetagraphWalks(Metagraph graph)
    {
        this.graph = graph;
        var shows = graph.Shows.Count;
        named = graph.Offsets[(int)MetaNodeKind.Text];
        weights = new double[named - shows];
        for (var node = shows; node < named; node++)
        {
            var degree = graph.Neighbours.Degree(node);
            weights[node - shows] = degree > 1 ? Math.Log((1.0 + shows) / degree) : 0;
        }

        cumulativeNegatives = new double[shows];
        var total = 0.0;
        for (var show = 0; show < shows; show++)
        {
            total += Math.Pow(graph.Neighbours.Degree(show), NegativePower);
            cumulativeNegatives[show] = total;
        }

        Starts = [.. Enumerable.Range(0, shows).Where(show => WeightOf(show) > 0)];
    }

    /// <summary>The shows that a walk can begin at: those that share a named node with another.</summary>
    public IReadOnlyList<int> Starts { get; }

    /// <summary>Walks from every show that has one, in random order: pairs of its start and a show met.</summary>
    public (int Start, int Met)[] Pairs(int walks, int length, Random random)
    {
        var pairs = new List<(int, int)>(Starts.Count * walks * length);
        foreach (var start in Starts)
        {
            for (var walk = 0; walk < walks; walk++)
            {
                var at = start;
                for (var step = 0; step < length; step++)
                {
                    at = Step(at, random);
                    if (at != start)
                    {
                        pairs.Add((start, at));
                    }
                }
            }
        }

        (int, int)[] shuffled = [.. pairs];
        random.Shuffle(shuffled);
        return shuffled;
    }

    /// <summary>Shows drawn by the number of their edges, to the power of 3/4.</summary>
    public int[] Negatives(int count, Random random)
    {
        var result = new int[count];
        for (var i = 0; i < count; i++)
        {
            var at = Array.BinarySearch(cumulativeNegatives, random.NextDouble() * cumulativeNegatives[^1]);
            result[i] = Math.Min(at < 0 ? ~at : at + 1, cumulativeNegatives.Length - 1);
        }

        return result;
    }

    private double WeightOf(int show)
    {
        var sum = 0.0;
        foreach (var node in graph.Neighbours[show])
        {
            sum += node < named ? weights[node - graph.Shows.Count] : 0;
        }

        return sum;
    }

    /// <summary>To another show that a node joins this one to.</summary>
    private int Step(int show, Random random)
    {
        var rest = random.NextDouble() * WeightOf(show);
        var chosen = -1;
        foreach (var node in graph.Neighbours[show])
        {
            var weight = node < named ? weights[node - graph.Shows.Count] : 0;
            if (weight > 0)
            {
                chosen = node;
                rest -= weight;
                if (rest < 0)
                {
                    break;
                }
            }
        }

        var others = graph.Neighbours[chosen];
        var place = random.Next(others.Length - 1);
        return others[place] == show ? others[^1] : others[place];
    }
}
