using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Graph;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Graph;

public sealed class ContentEmbeddingTests
{
    private static readonly IReadOnlyList<Show> Shows = TinyWorld.Create(1).Shows;

    [Theory]
    [InlineData(8)]
    [InlineData(64)]
    public void Shows_of_one_genre_are_closer_than_others(int width)
    {
        var rows = ContentEmbedding.Of(Shows, width, 1);
        Assert.Equal(Shows.Count * width, rows.Length);
        var (within, across) = (new List<double>(), new List<double>());
        for (var i = 0; i < Shows.Count; i++)
        {
            Assert.Equal(1, Product(rows, width, i, i), 1e-4);
            for (var j = 0; j < i; j++)
            {
                (i / TinyWorld.ShowsOfGenre == j / TinyWorld.ShowsOfGenre ? within : across).Add(Product(rows, width, i, j));
            }
        }

        Assert.True(within.Average() > across.Average() + 0.15, $"{within.Average()} within, {across.Average()} across");
    }

    [Fact]
    public void Full_width_keeps_the_products_of_the_weighted_nodes()
    {
        // Two shows that share all, one that shares nothing with them but its category.
        Show[] shows =
        [
            new("a", ShowCategory.Movie) { Tags = ["x"], ReleaseYear = 1990 }, new("b", ShowCategory.Movie) { Tags = ["x"], ReleaseYear = 1990 },
            new("c", ShowCategory.Live) { Tags = ["y"] }, new("d", ShowCategory.Live) { Tags = ["y"] }, new("e", ShowCategory.Series),
        ];
        var rows = ContentEmbedding.Of(shows, 8, 3);
        Assert.Equal(1, Product(rows, 8, 0, 1), 1e-4);
        Assert.Equal(0, Product(rows, 8, 0, 2), 1e-4);
        Assert.Equal(new float[8], rows[^8..]);
    }

    [Fact]
    public void The_same_catalog_and_seed_give_the_same_numbers() =>
        Assert.Equal(ContentEmbedding.Of(Shows, 16, 7), ContentEmbedding.Of(Shows, 16, 7));

    private static double Product(float[] rows, int width, int i, int j) =>
        Enumerable.Range(0, width).Sum(c => (double)rows[(i * width) + c] * rows[(j * width) + c]);
}
