using Nearline.Model.Index;
using Nearline.Model.Index.Hnsw;
using Nearline.Model.Tests.Support;
using TorchSharp;

namespace Nearline.Model.Tests.Index;

[Collection(TorchTests.Name)]
public sealed class IndexChoiceTests : IDisposable
{
    private const int Count = 3000, Dimension = 16;

    private readonly TempDirectory models = new();
    private readonly float[] rows = Rows(1);

    public void Dispose() => models.Dispose();

    [Fact]
    public void Auto_is_exact_within_the_budget_and_names_figures_and_budget()
    {
        var (index, info) = Build(IndexBackends.Auto, TimeSpan.FromSeconds(10), Bundle(rows));
        Assert.IsType<ExactIndex>(index);
        Assert.Equal(("exact-cpu", Count, Dimension, index.MemoryBytes), (info.Backend, info.Rows, info.Dimension, info.MemoryBytes));
        Assert.Equal("exact-cpu", Assert.Single(info.Timings).Backend);
        Assert.Equal("auto: exact, within the budget of 10000 ms", info.Why);
        Assert.StartsWith("exact-cpu, 3,000 rows x 16, 0.4 MB (", info.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Above_the_budget_auto_says_what_is_missing_or_decides_by_both_costs()
    {
        var (index, info) = Build(IndexBackends.Auto, TimeSpan.Zero, new HnswFiles(null, "nowhere"));
        Assert.IsType<ExactIndex>(index);
        Assert.Contains("above the budget of 0 ms, but the bundle has no index.hnsw", info.Why, StringComparison.Ordinal);

        for (var i = 0; i < 3; i++)
        {
            (index, info) = Build(IndexBackends.Auto, TimeSpan.Zero, Bundle(rows));
            var cost = info.Timings.ToDictionary(t => t.Backend, t => t.Milliseconds);
            Assert.Equal(["exact-cpu", "hnsw"], cost.Keys.Order());
            Assert.Equal(2 * cost["hnsw"] < cost["exact-cpu"] ? "hnsw" : "exact-cpu", info.Backend);
            Assert.Equal((info.Backend, info.Backend), (index.Backend, info.Timings[0].Backend));
        }
    }

    [Fact]
    public void A_graph_that_no_bundle_has_is_built_once_and_kept_beside_it_until_the_bundle_goes()
    {
        var files = Bundle(null);
        var (_, first) = Build(IndexBackends.Hnsw, TimeSpan.Zero, files);
        Assert.Contains($"and saved as {files.Beside}", first.Why, StringComparison.Ordinal);
        var written = File.GetLastWriteTimeUtc(files.Beside);
        var (again, second) = Build(IndexBackends.Hnsw, TimeSpan.Zero, files);
        Assert.Equal($"as asked for, from {files.Beside}", second.Why);
        Assert.Equal(written, File.GetLastWriteTimeUtc(files.Beside));
        Assert.Equal(rows.AsSpan(Dimension, Dimension), again.Row(1));

        // Of other rows, or damaged: built anew.
        var other = Rows(2);
        var (index, info) = IndexChoice.Build(other, Dimension, torch.CPU, Options(IndexBackends.Hnsw, TimeSpan.Zero), files);
        Assert.Contains("built in", info.Why, StringComparison.Ordinal);
        Assert.Equal(other.AsSpan(0, Dimension), index.Row(0));
        File.WriteAllText(files.Beside, "damaged");
        Assert.Contains("built in", Build(IndexBackends.Hnsw, TimeSpan.Zero, files).Info.Why, StringComparison.Ordinal);

        Directory.Delete(Path.Combine(models.Path, "v1"));
        Build(IndexBackends.Hnsw, TimeSpan.Zero, HnswFiles.Of(Directory.CreateDirectory(Path.Combine(models.Path, "v2")).FullName, false));
        Assert.Equal(["v2.hnsw"], Directory.EnumerateFiles(Path.Combine(models.Path, ".index")).Select(Path.GetFileName));
    }

    [Fact]
    public void Where_nothing_can_be_written_a_graph_serves_from_memory()
    {
        var file = Path.Combine(models.Path, "file");
        File.WriteAllText(file, "");
        var (index, info) = Build(IndexBackends.Hnsw, TimeSpan.Zero, new HnswFiles(null, Path.Combine(file, "v1.hnsw")));
        Assert.Contains("and not saved: ", info.Why, StringComparison.Ordinal);
        Assert.Equal(10, index.Search(rows.AsSpan(0, Dimension), 10, [])[0].Rows.Length);
    }

    [Fact]
    public void A_bundles_graph_of_other_rows_is_refused_by_name()
    {
        var error = Assert.Throws<InvalidDataException>(() => Build(IndexBackends.Hnsw, TimeSpan.Zero, Bundle(Rows(2))));
        Assert.Contains("index.hnsw: has other rows", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_catalog_has_an_index()
    {
        foreach (var backend in IndexBackends.Names)
        {
            using var index = IndexChoice.Build([], 8, torch.CPU, Options(backend, TimeSpan.Zero)).Index;
            Assert.Empty(index.Search(new float[8], 5, [])[0].Rows);
        }
    }

    private static BackendOptions Options(string backend, TimeSpan budget) =>
        new() { Backend = backend, ExactBudget = budget, MeasureFor = TimeSpan.Zero, Limit = 10 };

    private static float[] Rows(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Count * Dimension).Select(_ => random.NextSingle() - 0.5f)];
    }

    private (IItemIndex Index, IndexInfo Info) Build(string backend, TimeSpan budget, HnswFiles files) =>
        IndexChoice.Build(rows, Dimension, torch.CPU, Options(backend, budget), files);

    private HnswFiles Bundle(float[]? graphOf)
    {
        var bundle = Directory.CreateDirectory(Path.Combine(models.Path, "v1")).FullName;
        if (graphOf is not null)
        {
            HnswIndex.Build(graphOf, Dimension).Save(Path.Combine(bundle, HnswFiles.Name));
        }

        return HnswFiles.Of(bundle, graphOf is not null);
    }
}
