using System.Text.Json;
using Nearline.Model.Bundles;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Training.Runs;

/// <summary>Where training stands after an epoch, beside its tensors.</summary>
internal sealed record CheckpointState
{
    /// <summary>SHA-256 of the feature schema: what the rows of the tables mean.</summary>
    public required string Schema { get; init; }

    /// <summary>Steps taken.</summary>
    public required long Steps { get; init; }

    /// <summary>Steps that the weight average has seen.</summary>
    public required long AverageSteps { get; init; }

    /// <summary>Steps of each parameter that Adam has counted, in the order of the parameters.</summary>
    public required IReadOnlyList<long> AdamSteps { get; init; }

    /// <summary>The epoch of the best weights; 0: none yet.</summary>
    public required int BestEpoch { get; init; }

    /// <summary>Their average HR@20.</summary>
    public required double BestHr20 { get; init; }

    /// <summary>Evaluations since.</summary>
    public required int SinceBest { get; init; }

    /// <summary>The reports of all epochs.</summary>
    public required IReadOnlyList<TrainingProgress> Epochs { get; init; }
}

/// <summary>
/// Everything that training needs to go on as if it had never stopped, in one file: a reader sees the old one or the
/// new one, never a part. Randomness is not in it, since every epoch derives its own from the seed.
/// </summary>
internal static class Checkpoint
{
    private const string StateKey = "state";

    /// <summary>Writes it in place of the one that is there.</summary>
    public static void Save(string path, CheckpointState state, IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(directory);
        using var scope = NewDisposeScope();
        var written = $"{path}.tmp";
        SafeTensorsFile.Write(
            written,
            tensors.Select(t => TensorData.Of<float>(
                t.Name, t.Tensor.detach().cpu().contiguous().data<float>().ToArray(), t.Tensor.shape)),
            new Dictionary<string, string> { [StateKey] = JsonSerializer.Serialize(state, RunJson.Options) });
        File.Move(written, path, overwrite: true);
        DurableFiles.FlushDirectory(directory);
    }

    /// <summary>What state a checkpoint is of.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static CheckpointState ReadState(string path)
    {
        using var file = Open(path);
        try
        {
            return file.Metadata.TryGetValue(StateKey, out var json)
                ? JsonSerializer.Deserialize<CheckpointState>(json, RunJson.Options) ?? throw new InvalidDataException($"{path}: {StateKey}: empty")
                : throw new InvalidDataException($"{path}: no {StateKey}; it is no checkpoint");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: {StateKey} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Copies a checkpoint's tensors into those of a run.</summary>
    /// <exception cref="InvalidDataException">The checkpoint has others, or of other shapes.</exception>
    public static void ReadTensors(string path, IReadOnlyCollection<(string Name, Tensor Tensor)> tensors)
    {
        using var gradient = no_grad();
        using var scope = NewDisposeScope();
        using var file = Open(path);
        var names = tensors.Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
        if (file.Tensors.FirstOrDefault(t => !names.Contains(t.Name)) is { } unknown)
        {
            throw new InvalidDataException($"{path}: tensor '{unknown.Name}' is none of this model's");
        }

        foreach (var (name, tensor) in tensors)
        {
            try
            {
                tensor.copy_(torch.tensor(file.Read<float>(name, tensor.shape)).view(tensor.shape));
            }
            catch (SafeTensorsException e)
            {
                throw new InvalidDataException(e.Message, e);
            }
        }
    }

    private static SafeTensorsFile Open(string path)
    {
        try
        {
            return SafeTensorsFile.Open(path);
        }
        catch (SafeTensorsException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }
}
