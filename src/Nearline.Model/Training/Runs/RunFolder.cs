using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using TorchSharp;

namespace Nearline.Model.Training.Runs;

/// <summary>
/// A folder that tells a training run: run.json, scalars.csv and curves.svg for its readers, checkpoint/ to go on from.
/// One process at a time may hold it. docs/model.md has the layout.
/// </summary>
public sealed class RunFolder : IDisposable
{
    private const string InfoFile = "run.json";
    private readonly FileStream held;

    private RunFolder(string path, FileStream hold, RunInfo info)
    {
        Path = path;
        held = hold;
        Info = info;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>What run.json says.</summary>
    public RunInfo Info { get; private set; }

    /// <summary>The checkpoint, which is there once an epoch is over.</summary>
    internal string CheckpointPath => System.IO.Path.Combine(Path, "checkpoint", "state.safetensors");

    /// <summary>Begins a run in a folder that holds none.</summary>
    /// <param name="path">The folder; it need not be there.</param>
    /// <param name="split">The data.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="options">How it will be trained.</param>
    /// <param name="setting">What else it was told.</param>
    /// <param name="time">For the time of the start.</param>
    /// <exception cref="InvalidDataException">The folder holds a run, or another process has it.</exception>
    public static RunFolder Create(
        string path, Split split, M5Config config, TrainingOptions options, RunSetting setting, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(split);
        ArgumentNullException.ThrowIfNull(options);
        Directory.CreateDirectory(path);
        var hold = Hold(path);
        try
        {
            if (File.Exists(System.IO.Path.Combine(path, InfoFile)))
            {
                throw new InvalidDataException($"run '{path}': there is one already; resume it, or choose another folder");
            }

            var folder = new RunFolder(path, hold, new RunInfo
            {
                StartedAt = (time ?? TimeProvider.System).GetUtcNow(),
                Config = config,
                Training = options,
                Setting = setting,
                DataFingerprint = split.TrainDataset.Fingerprint(),
                DatasetFingerprint = split.Dataset.Fingerprint(),
                Device = Devices.Of(options.Device).type.ToString().ToLowerInvariant(),
                Threads = options.Threads == 0 ? TorchThreads.Default : options.Threads,
                Versions = new Dictionary<string, string>
                {
                    ["nearline"] = VersionOf(typeof(RunFolder)),
                    ["dotnet"] = Environment.Version.ToString(),
                    ["torchsharp"] = VersionOf(typeof(torch)),
                },
            });
            folder.WriteInfo();
            return folder;
        }
        catch
        {
            hold.Dispose();
            throw;
        }
    }

    /// <summary>Opens the folder of a run to go on with it.</summary>
    /// <exception cref="InvalidDataException">There is no readable run, or another process has it.</exception>
    public static RunFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = System.IO.Path.Combine(path, InfoFile);
        if (!File.Exists(file))
        {
            throw new InvalidDataException($"run '{path}': there is no {InfoFile}; name the folder of a run");
        }

        var hold = Hold(path);
        try
        {
            var info = JsonSerializer.Deserialize<RunInfo>(File.ReadAllBytes(file), RunJson.Options)
                ?? throw new InvalidDataException($"{file}: empty");
            return new RunFolder(path, hold, info);
        }
        catch (JsonException e)
        {
            hold.Dispose();
            throw new InvalidDataException($"{file}: cannot be read: {e.Message}", e);
        }
        catch
        {
            hold.Dispose();
            throw;
        }
    }

    /// <summary>Writes down what came out.</summary>
    public void Finish(RunResult result)
    {
        Info = Info with { Result = result ?? throw new ArgumentNullException(nameof(result)) };
        WriteInfo();
    }

    /// <inheritdoc/>
    public void Dispose() => held.Dispose();

    /// <summary>Checks that a training is the one that the folder tells of.</summary>
    /// <remarks>The device may be another: a run may move to another machine, where its numbers differ in the last digits.</remarks>
    /// <exception cref="InvalidDataException">It is not; the message names what differs, and both values.</exception>
    internal void Check(Split split, M5Config config, TrainingOptions options)
    {
        Same(Info.Config, config);
        Same(Info.Training with { Device = options.Device }, options);
        Same("data fingerprint", Info.DataFingerprint, split.TrainDataset.Fingerprint());
        Same("fingerprint of data and held-out watches", Info.DatasetFingerprint, split.Dataset.Fingerprint());
    }

    /// <summary>Names a difference.</summary>
    /// <exception cref="InvalidDataException">There is one.</exception>
    internal void Same(string name, string there, string now)
    {
        if (there != now)
        {
            throw new InvalidDataException($"run '{Path}': {name}: {there} there, {now} now; a run goes on only as it began");
        }
    }

    /// <summary>Writes what readers look at: scalars.csv and curves.svg.</summary>
    internal void WriteReports(IReadOnlyList<TrainingProgress> epochs)
    {
        DurableFiles.Replace(System.IO.Path.Combine(Path, "scalars.csv"), Scalars.Csv(epochs));
        DurableFiles.Replace(System.IO.Path.Combine(Path, "curves.svg"), CurvesSvg.Draw(epochs));
    }

    /// <summary>The system lets go of it when the process ends, however it ends.</summary>
    private static FileStream Hold(string path)
    {
        try
        {
            return new FileStream(System.IO.Path.Combine(path, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException))
        {
            throw new InvalidDataException($"run '{path}': another process has it: {e.Message}", e);
        }
    }

    private static string VersionOf(Type type) =>
        type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? type.Assembly.GetName().Version?.ToString()
        ?? "unknown";

    private void Same<T>(T there, T now)
    {
        var (old, current) = (Json(there), Json(now));
        foreach (var (name, value) in current)
        {
            Same(name, Text(old[name]), Text(value));
        }

        static JsonObject Json(T value) =>
            (JsonObject)JsonSerializer.SerializeToNode(value, new JsonSerializerOptions(RunJson.Options) { PropertyNamingPolicy = null })!;

        static string Text(JsonNode? node) => node?.ToJsonString() ?? "none";
    }

    private void WriteInfo() =>
        DurableFiles.Replace(System.IO.Path.Combine(Path, InfoFile), JsonSerializer.SerializeToUtf8Bytes(Info, RunJson.Options));
}
