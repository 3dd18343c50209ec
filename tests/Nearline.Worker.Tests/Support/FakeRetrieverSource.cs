using System.Collections.Concurrent;
using Nearline.Model.Serving;
using Nearline.Worker.Models;

namespace Nearline.Worker.Tests.Support;

/// <summary>Models made by the test.</summary>
internal sealed class FakeRetrieverSource : IRetrieverSource
{
    private readonly ConcurrentDictionary<string, FakeRetriever> retrievers = new();
    private volatile string? active;

    public string? ActiveVersion() => active;

    public IServingRetriever Load(string version) =>
        retrievers.TryGetValue(version, out var retriever)
            ? retriever
            : throw new ModelRefusedException(version, "weights.safetensors: wrong sha256");

    public FakeRetrieverSource Activate(FakeRetriever retriever)
    {
        retrievers[retriever.ModelVersion] = retriever;
        active = retriever.ModelVersion;
        return this;
    }

    public void ActivateBroken(string version) => active = version;
}
