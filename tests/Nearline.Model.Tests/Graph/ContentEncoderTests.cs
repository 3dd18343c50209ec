using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Graph;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Graph;

public sealed class ContentEncoderTests
{
    private static readonly IReadOnlyList<Show> Shows = TinyWorld.Create(1).Shows;

    [Theory]
    [InlineData(8)]
    [InlineData(64)]
    public void Shows_of_one_genre_are_closer_than_others(int width)
    {
        var rows = Embed(Shows, width, 1);
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
        var rows = Embed(shows, 8, 3);
        Assert.Equal(1, Product(rows, 8, 0, 1), 1e-4);
        Assert.Equal(0, Product(rows, 8, 0, 2), 1e-4);
        Assert.Equal(new float[8], rows[^8..]);
    }

    [Fact]
    public void The_same_catalog_and_seed_give_the_same_numbers() =>
        Assert.Equal(Embed(Shows, 16, 7), Embed(Shows, 16, 7));

    [Fact]
    public void A_show_that_was_not_there_comes_out_as_its_nodes_do()
    {
        var twin = Shows[3] with { Id = "new" };
        var encoder = ContentEncoder.Fit(Shows, 16, 7);
        Assert.Equal(Embed(Shows, 16, 7).AsSpan(3 * 16, 16).ToArray(), encoder.Embed(twin));

        // The categories of the world are nodes too, so only a catalog without the show's is strange to it.
        Assert.Null(ContentEncoder.Fit([.. Shows.Where(s => s.Category != ShowCategory.Live)], 16, 7)
            .Embed(new Show("alien", ShowCategory.Live) { Title = "Qqq", Tags = ["nothing of this world"] }));
    }

    private static float[] Embed(IReadOnlyList<Show> shows, int width, int seed) =>
        ContentEncoder.Fit(shows, width, seed).Embed(shows);

    private static double Product(float[] rows, int width, int i, int j) =>
        Enumerable.Range(0, width).Sum(c => (double)rows[(i * width) + c] * rows[(j * width) + c]);
}
