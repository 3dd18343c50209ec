namespace Nearline.Cli.Capacity;

/// <summary>A number that capacity is computed from, and where it comes from.</summary>
/// <param name="Name">What it is, with its unit.</param>
/// <param name="Value">The number.</param>
/// <param name="Source">Such as <c>measured: ...</c>, <c>given</c> or <c>assumed</c>.</param>
internal sealed record Figure(string Name, double Value, string Source);
