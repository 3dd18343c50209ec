using Nearline.Model;

namespace Nearline.Bench.Worker;

/// <summary>What is measured.</summary>
/// <param name="Config">The model's preset; its weights are random.</param>
/// <param name="Shows">Of the simulated world.</param>
/// <param name="Users">Of it, each with what they did in its days.</param>
/// <param name="Batch">Users in a batch of the bare run.</param>
/// <param name="Precision">Of the tower's large products.</param>
/// <param name="Settings">The worker's, <c>Key=value</c>.</param>
internal sealed record WorkerCase(
    string Config, int Shows, int Users, int Batch, ServingPrecision Precision, IReadOnlyList<string> Settings);
