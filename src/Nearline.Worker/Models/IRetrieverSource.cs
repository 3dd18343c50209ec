using Nearline.Model.Bundles;
using Nearline.Model.Serving;

namespace Nearline.Worker.Models;

/// <summary>Where models come from. A seam: the worker's tests put one in its place that needs no training.</summary>
internal interface IRetrieverSource
{
    /// <summary>The version that is to be served; null when none is chosen yet.</summary>
    string? ActiveVersion();

    /// <summary>What is to be served beside it.</summary>
    /// <exception cref="ModelRefusedException">It is told in a form that cannot be read.</exception>
    Rollout Rollout() => Model.Bundles.Rollout.None;

    /// <summary>Loads and verifies a model.</summary>
    /// <exception cref="ModelRefusedException">It is missing, damaged or of a form that this version cannot serve.</exception>
    IServingRetriever Load(string version);
}
