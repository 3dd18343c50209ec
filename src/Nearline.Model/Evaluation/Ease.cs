using Nearline.Model.Data;
using static TorchSharp.torch;

namespace Nearline.Model.Evaluation;

/// <summary>
/// EASE: a linear autoencoder of users' watches with a zero diagonal, in closed form. With X the 0/1 matrix of users by
/// shows and P = (X'X + lambda I)^-1, show i gives show j the weight B_ij = -P_ij / P_jj. Source: Steck, Embarrassingly
/// Shallow Autoencoders for Sparse Data, WWW 2019.
/// </summary>
public sealed class Ease : ScoringBaseline
{
    /// <summary>
    /// Watched shows at most: the dense inverse of n shows takes about 12 n^2 bytes and n^3 operations, at this bound
    /// 4.8 GB and minutes. Shows without watchers do not count: nothing leads to them.
    /// </summary>
    public const int MaxShows = 20_000;

    /// <summary>The regularisation unless told otherwise.</summary>
    public const double UsualLambda = 200;

    /// <summary>Watches that count unless told otherwise.</summary>
    public const int UsualHistory = 50;

    private readonly int size;
    private readonly float[] weights;

    private Ease(Dataset train, TrainingWatches watches, double lambda, int history)
        : base("ease", train, watches, history) => (size, weights) = (watches.Watched, Solve(watches, lambda));

    /// <summary>Fits the training part.</summary>
    /// <param name="train">The training part.</param>
    /// <param name="lambda">The regularisation, above zero.</param>
    /// <param name="history">The last so many watched shows score, from one.</param>
    /// <exception cref="ArgumentException">More shows were watched than <see cref="MaxShows"/>.</exception>
    public static Ease Of(Dataset train, double lambda = UsualLambda, int history = UsualHistory)
    {
        ArgumentNullException.ThrowIfNull(train);
        if (!(lambda > 0 && double.IsFinite(lambda)))
        {
            throw new ArgumentOutOfRangeException(nameof(lambda), lambda, "must be a number above 0");
        }

        var watches = TrainingWatches.Of(train);
        CheckSize(watches.Watched);
        return new Ease(train, watches, lambda, history);
    }

    /// <summary>Refuses what would not fit in memory.</summary>
    internal static void CheckSize(int shows)
    {
        if (shows > MaxShows)
        {
            throw new ArgumentException($"shows: {shows} have watchers; EASE inverts a dense matrix of at most {MaxShows}", nameof(shows));
        }
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
        foreach (var row in history)
        {
            if (row < size)
            {
                VectorMath.AddScaled(1, weights.AsSpan(row * size, size), scores[..size]);
            }
        }
    }

    private static float[] Solve(TrainingWatches watches, double lambda)
    {
        var n = watches.Watched;
        if (n == 0)
        {
            return [];
        }

        var gram = new float[(long)n * n];
        foreach (var user in watches.Users)
        {
            foreach (var i in user)
            {
                foreach (var j in user)
                {
                    gram[(i * n) + j]++;
                }
            }
        }

        for (var i = 0; i < n; i++)
        {
            gram[(i * n) + i] += (float)lambda;
        }

        using (var scope = NewDisposeScope())
        using (no_grad())
        {
            // Positive definite, since lambda is above zero: the Cholesky factor is half an inversion's work.
            using var factor = linalg.cholesky(from_array(gram).view(n, n));
            cholesky_inverse(factor).reshape(-1).data<float>().CopyTo(gram);
        }

        var diagonal = new float[n];
        for (var j = 0; j < n; j++)
        {
            diagonal[j] = gram[(j * n) + j];
        }

        for (var i = 0; i < n; i++)
        {
            var row = gram.AsSpan(i * n, n);
            for (var j = 0; j < n; j++)
            {
                row[j] = i == j ? 0 : -row[j] / diagonal[j];
            }
        }

        return gram;
    }
}
