namespace Nearline.Worker.State;

/// <summary>How a user's stored sets were made.</summary>
/// <param name="At">When, by the clock of the worker that did it.</param>
/// <param name="ModelVersion">By which model the default sets were made.</param>
/// <param name="CatalogPosition">With how much of the catalog topic: the sum of the offsets read of its partitions.</param>
/// <param name="Variants">The sets of experiments.</param>
internal sealed record MadeSets(
    DateTimeOffset At, string ModelVersion, ulong CatalogPosition, IReadOnlyList<MadeVariant> Variants);

/// <summary>The sets of one experiment, beside the default ones.</summary>
/// <param name="Variant">Its name.</param>
/// <param name="ModelVersion">By which model they were made.</param>
/// <param name="Scenarios">For which scenarios there are some.</param>
internal sealed record MadeVariant(string Variant, string ModelVersion, IReadOnlyList<string> Scenarios);
