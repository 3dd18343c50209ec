using Nearline.Model.Serving;

namespace Nearline.Worker.Models;

/// <summary>The models in memory and which of them make whose sets. The inference thread's alone.</summary>
/// <param name="plan">Which make whose.</param>
/// <param name="models">All of the plan's, by version.</param>
internal sealed class ModelSet(ServingPlan plan, IReadOnlyDictionary<string, IServingRetriever> models)
{
    public ServingPlan Plan => plan;

    /// <summary>The model of everybody whom no canary takes.</summary>
    public IServingRetriever Active => models[plan.Active];

    /// <summary>All of them, the active one first.</summary>
    public IEnumerable<IServingRetriever> All => plan.Versions.Select(Of);

    /// <summary>One of the plan's.</summary>
    public IServingRetriever Of(string version) => models[version];

    public bool Has(string version) => models.ContainsKey(version);
}
