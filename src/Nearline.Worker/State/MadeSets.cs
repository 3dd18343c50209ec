namespace Nearline.Worker.State;

/// <summary>How a user's stored sets were made.</summary>
/// <param name="At">When, by the clock of the worker that did it.</param>
/// <param name="ModelVersion">By which model the default sets were made.</param>
internal sealed record MadeSets(DateTimeOffset At, string ModelVersion);
