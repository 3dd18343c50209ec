using Nearline.Model.Data.Simulation;

namespace Nearline.Model.Tests.Data.Simulation;

public sealed class SimNumbersTests
{
    [Fact]
    public void Exp_and_log_agree_with_the_runtimes_to_the_last_digits()
    {
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var x = (random.NextDouble() - 0.5) * 100;
            Assert.InRange(SimMath.Exp(x) / Math.Exp(x), 1 - 1e-13, 1 + 1e-13);
            var y = Math.Exp(x);
            Assert.InRange(SimMath.Log(y) - Math.Log(y), -1e-13, 1e-13);
        }

        Assert.Equal((1.0, 0.0, 0.0), (SimMath.Exp(0), SimMath.Log(1), SimMath.Exp(-1e9)));
        Assert.True(double.IsFinite(SimMath.Exp(1e9)));
    }

    [Fact]
    public void Random_numbers_have_the_moments_that_they_should()
    {
        var random = new SimRandom(1, SimStream.World);
        var n = 100_000;
        double sum = 0, normal = 0, square = 0, poisson = 0;
        var weighted = new int[3];
        for (var i = 0; i < n; i++)
        {
            sum += random.Uniform();
            var x = random.Normal();
            (normal, square) = (normal + x, square + (x * x));
            poisson += random.Poisson(2.5);
            weighted[random.Weighted([1, 0, 3])]++;
        }

        Assert.InRange(sum / n, 0.495, 0.505);
        Assert.InRange(normal / n, -0.02, 0.02);
        Assert.InRange(square / n, 0.98, 1.02);
        Assert.InRange(poisson / n, 2.47, 2.53);
        Assert.Equal(0, weighted[1]);
        Assert.InRange((double)weighted[2] / n, 0.74, 0.76);
        Assert.Equal(-1, random.Weighted([0, 0]));
    }

    [Fact]
    public void Streams_differ_by_seed_purpose_and_index()
    {
        SimRandom[] streams =
        [
            new(1, SimStream.World), new(2, SimStream.World), new(1, SimStream.User), new(1, SimStream.User, 1), new(1, SimStream.User, -1),
        ];
        Assert.Equal(streams.Length, streams.Select(s => s.Uniform()).Distinct().Count());
    }

    [Theory]
    [InlineData(1, "I")]
    [InlineData(4, "IV")]
    [InlineData(19, "XIX")]
    public void Numerals_are_Roman(int number, string numeral) => Assert.Equal(numeral, Names.Roman(number));

    [Fact]
    public void People_have_different_names() =>
        Assert.Equal(2000, Enumerable.Range(0, 2000).Select(Names.Person).Distinct(StringComparer.Ordinal).Count());
}
