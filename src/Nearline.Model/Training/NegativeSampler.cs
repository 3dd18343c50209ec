namespace Nearline.Model.Training;

/// <summary>Shows drawn to stand for the catalog in a step's softmax.</summary>
/// <param name="Items">Index rows, drawn with replacement.</param>
/// <param name="LogExpected">The logarithm of how often each was to be expected among them.</param>
internal sealed record NegativeSample(int[] Items, float[] LogExpected);

/// <summary>
/// Draws negatives for the sampled softmax, one half uniformly and the other by popularity^0.75: popular shows are the
/// hard ones, and the uniform half bounds how much a rare show that is drawn can weigh.
/// </summary>
internal sealed class NegativeSampler
{
    private const double Power = 0.75;
    private readonly double[] cumulative;
    private readonly int count;

    /// <param name="popularity">Watches of each show of the catalog.</param>
    /// <param name="count">How many to draw.</param>
    public NegativeSampler(IReadOnlyList<int> popularity, int count)
    {
        this.count = count;
        var powers = popularity.Select(p => Math.Pow(p, Power)).ToArray();
        var sum = powers.Sum();
        cumulative = new double[powers.Length];
        var total = 0.0;
        for (var i = 0; i < powers.Length; i++)
        {
            total += (0.5 / powers.Length) + (sum > 0 ? 0.5 * powers[i] / sum : 0.5 / powers.Length);
            cumulative[i] = total;
        }
    }

    /// <summary>The chance of a show at each draw.</summary>
    public double Chance(int item) => (cumulative[item] - (item == 0 ? 0 : cumulative[item - 1])) / cumulative[^1];

    /// <summary>Draws.</summary>
    public NegativeSample Draw(Random random)
    {
        var items = new int[count];
        var expected = new float[count];
        for (var i = 0; i < count; i++)
        {
            var at = Array.BinarySearch(cumulative, random.NextDouble() * cumulative[^1]);
            items[i] = Math.Min(at < 0 ? ~at : at + 1, cumulative.Length - 1);
            expected[i] = (float)Math.Log(count * Chance(items[i]));
        }

        return new NegativeSample(items, expected);
    }
}
