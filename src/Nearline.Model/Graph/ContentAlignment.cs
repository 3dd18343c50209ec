using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Graph;

/// <summary>
/// Brings content embeddings to where trained CG embeddings lie: training moves these, and the embeddings of two
/// catalogs have two bases.
/// </summary>
internal static class ContentAlignment
{
    private const double Ridge = 0.01;

    /// <summary>The linear map from content rows to trained rows of the same shows, by ridge regression: [width, width], double.</summary>
    /// <param name="content">[n, width].</param>
    /// <param name="trained">[n, width].</param>
    public static Tensor Map(Tensor content, Tensor trained)
    {
        using var scope = NewDisposeScope();
        var (from, to) = (content.to(ScalarType.Float64), trained.to(ScalarType.Float64));
        var (count, width) = (from.shape[0], from.shape[1]);
        var gram = from.t().matmul(from) + (eye(width, dtype: ScalarType.Float64) * (Ridge * count / width));
        return from.t().matmul(to).cholesky_solve(linalg.cholesky(gram)).MoveToOuterDisposeScope();
    }
}
