using System.Collections.Concurrent;
using Nearline.Model.Bundles;
using Nearline.Model.Serving;
using Nearline.Worker.Models;

namespace Nearline.Worker.Tests.Support;

/// <summary>Models made by the test.</summary>
internal sealed class FakeRetrieverSource : IRetrieverSource
{
    private readonly ConcurrentDictionary<string, Func<FakeRetriever>> retrievers = new();
    private volatile string? active;
    private volatile Rollout rollout = Model.Bundles.Rollout.None;

    public string? ActiveVersion() => active;

    public Rollout Rollout() => rollout;

    public IServingRetriever Load(string version) =>
        retrievers.TryGetValue(version, out var make)
            ? make()
            : throw new ModelRefusedException(version, "weights.safetensors: wrong sha256");

    public FakeRetrieverSource Activate(FakeRetriever retriever)
    {
        retrievers[retriever.ModelVersion] = () => retriever;
        active = retriever.ModelVersion;
        return this;
    }

    /// <summary>Models that are loaded anew each time.</summary>
    public FakeRetrieverSource With(params string[] versions)
    {
        foreach (var version in versions)
        {
            retrievers[version] = () => new FakeRetriever(version);
        }

        return this;
    }

    public FakeRetrieverSource With(FakeRetriever retriever)
    {
        retrievers[retriever.ModelVersion] = () => retriever;
        return this;
    }

    public void ActivateBroken(string version) => active = version;

    public void Serve(string version, CanaryRelease? canary = null, params Experiment[] experiments) =>
        (rollout, active) = (new Rollout(canary, experiments), version);
}
