using System.Numerics;

namespace Nearline.Model.Data.Simulation;

/// <summary>
/// Random numbers that are the same on every machine and .NET version: xoshiro256**, seeded through SplitMix64. Every
/// show and user has a stream of its own, so that none depends on what another drew.
/// </summary>
internal sealed class SimRandom
{
    private ulong a;
    private ulong b;
    private ulong c;
    private ulong d;

    public SimRandom(ulong seed, SimStream stream, int index = 0)
    {
        var state = seed;
        state = SplitMix(ref state) ^ (ulong)stream;
        state = SplitMix(ref state) ^ (uint)index;
        (a, b, c, d) = (SplitMix(ref state), SplitMix(ref state), SplitMix(ref state), SplitMix(ref state));
    }

    /// <summary>From 0 to below 1.</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>From <paramref name="least"/> to below <paramref name="most"/>.</summary>
    public double Uniform(double least, double most) => least + ((most - least) * Uniform());

    /// <summary>From 0 to below <paramref name="count"/>.</summary>
    public int Below(int count) => (int)(Uniform() * count);

    public bool Chance(double probability) => Uniform() < probability;

    /// <summary>Nearly normal, mean 0 and deviation 1: twelve uniform numbers, so within 6.</summary>
    public double Normal()
    {
        var sum = -6.0;
        for (var i = 0; i < 12; i++)
        {
            sum += Uniform();
        }

        return sum;
    }

    /// <summary>Poisson, by products of uniform numbers.</summary>
    public int Poisson(double mean)
    {
        var limit = SimMath.Exp(-mean);
        var product = Uniform();
        var count = 0;
        while (product > limit)
        {
            product *= Uniform();
            count++;
        }

        return count;
    }

    public T Of<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary>An index by weights from 0; -1 when all are 0.</summary>
    public int Weighted(ReadOnlySpan<double> weights)
    {
        var total = 0.0;
        foreach (var weight in weights)
        {
            total += weight;
        }

        if (!(total > 0))
        {
            return -1;
        }

        var left = Uniform() * total;
        var last = -1;
        for (var i = 0; i < weights.Length; i++)
        {
            if (weights[i] > 0)
            {
                last = i;
                left -= weights[i];
                if (left < 0)
                {
                    break;
                }
            }
        }

        return last;
    }

    private static ulong SplitMix(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    private ulong Next()
    {
        var result = BitOperations.RotateLeft(b * 5, 7) * 9;
        var t = b << 17;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= t;
        d = BitOperations.RotateLeft(d, 45);
        return result;
    }
}

/// <summary>What a stream of random numbers is for.</summary>
internal enum SimStream
{
    World = 1,
    Franchise,
    Show,
    User,
    Behaviour,
}
