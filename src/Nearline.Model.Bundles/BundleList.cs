namespace Nearline.Model.Bundles;

/// <summary>The bundles of a folder.</summary>
/// <param name="Bundles">Those whose manifest and files are there, newest first.</param>
/// <param name="Broken">Why the others were skipped.</param>
public sealed record BundleList(IReadOnlyList<BundleDirectory> Bundles, IReadOnlyList<BundleException> Broken);
