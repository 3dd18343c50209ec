using Nearline.Model.Index;
using Nearline.Model.Serving;

namespace Nearline.Bench.Swap;

/// <summary>A model that is nothing but its index, so that a swap of the index is what is measured.</summary>
internal sealed class IndexRetriever(string version, (IItemIndex Index, IndexInfo Info) built) : IServingRetriever
{
    public string ModelVersion => version;

    public IReadOnlyList<string> Scenarios => [];

    public IndexInfo Index => built.Info;

    public IItemIndex Searched => built.Index;

    public bool Knows(string showId) => false;

    public CatalogState Apply(IReadOnlyList<CatalogChange> changes) => new(0, 0, []);

    public RetrievalBatch Retrieve(IReadOnlyList<RetrievalRequest> requests, int limit) => throw new NotSupportedException();

    public ShowInspection Inspect(RetrievalRequest request, string scenario, string showId, int limit, int neighbours) =>
        throw new NotSupportedException();

    public IReadOnlyList<ScenarioCandidates> FallbackLists(int limit) => [];

    public void Dispose() => built.Index.Dispose();
}
