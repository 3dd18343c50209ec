using System.Text.Json;
using System.Text.Json.Serialization;
using Nearline.Model.Evaluation;

namespace Nearline.Cli.Comparing;

/// <summary>What a run found out; a file of its own, so that an interrupted comparison goes on.</summary>
internal sealed record RunResult
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The entry.</summary>
    public required string Entry { get; init; }

    /// <summary>Null where it makes no difference.</summary>
    public int? Seed { get; init; }

    /// <summary>The checkout's commit at the time; null where there is none.</summary>
    public string? Commit { get; init; }

    /// <summary>Seconds of fitting, evaluations on the validation targets included.</summary>
    public required double TrainSeconds { get; init; }

    /// <summary>Epochs that ran; null where there are none.</summary>
    public int? Epochs { get; init; }

    /// <summary>The one whose weights were kept.</summary>
    public int? BestEpoch { get; init; }

    /// <summary>The average over scenarios on the validation targets: what settings are chosen by.</summary>
    public required ScenarioMetrics Validation { get; init; }

    /// <summary>On the test targets, sets without watched shows.</summary>
    public required RankedReport Filtered { get; init; }

    /// <summary>On the test targets, sets with watched shows too; null where that was not asked for.</summary>
    public RankedReport? Unfiltered { get; init; }

    /// <summary>
    /// Where some shows were cold: on the targets that epochs are chosen on, shows that training knew, as sets are served.
    /// Null where none was.
    /// </summary>
    public RankedReport? Known { get; init; }

    /// <summary>
    /// Like <see cref="Filtered"/>, by the CG channel alone; null where no show was cold, or the model has no such channel.
    /// </summary>
    public RankedReport? ByCg { get; init; }

    /// <summary>Reads a result; null where there is none, or none that can be read.</summary>
    public static RunResult? Read(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<RunResult>(File.ReadAllText(path), Json) : null;
        }
        catch (JsonException)
        {
            // Not ours, or of another version: it is made anew.
            return null;
        }
    }

    /// <summary>Writes it, whole or not at all.</summary>
    public void Write(string path)
    {
        var temporary = path + ".part";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this, Json));
        File.Move(temporary, path, overwrite: true);
    }
}

/// <summary>An evaluation with the rank of each target.</summary>
internal sealed record RankedReport
{
    /// <summary>The mean over scenarios.</summary>
    public required ScenarioMetrics Average { get; init; }

    /// <summary>Each scenario.</summary>
    public required IReadOnlyList<ScenarioMetrics> Scenarios { get; init; }

    /// <summary>Each category of targets.</summary>
    public required IReadOnlyList<ScenarioMetrics> Categories { get; init; }

    /// <summary>The user of each target.</summary>
    public required int[] Users { get; init; }

    /// <summary>The place in <see cref="Scenarios"/> of each target's scenario.</summary>
    public required int[] Places { get; init; }

    /// <summary>Each target's rank; 0: not among the first 100.</summary>
    public required int[] Ranks { get; init; }

    /// <summary>An evaluation's content.</summary>
    public static RankedReport Of(EvaluationReport report)
    {
        var places = report.Scenarios.Index().ToDictionary(s => s.Item.Scenario, s => s.Index, StringComparer.Ordinal);
        return new RankedReport
        {
            Average = report.Average,
            Scenarios = report.Scenarios,
            Categories = report.Categories,
            Users = [.. report.Ranks.Select(r => r.Target.User)],
            Places = [.. report.Ranks.Select(r => places[r.Target.Scenario])],
            Ranks = [.. report.Ranks.Select(r => r.Rank)],
        };
    }
}
