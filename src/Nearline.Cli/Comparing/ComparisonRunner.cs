using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Nearline.Cli.Commands;
using Nearline.LocalServers.Processes;
using Spectre.Console;

namespace Nearline.Cli.Comparing;

/// <summary>
/// Runs that are missing, several at once, each in a process of its own; a run that fails is told and the others go on.
/// </summary>
/// <param name="settings">What the runs share.</param>
/// <param name="directory">Where results and logs go.</param>
internal sealed class ComparisonRunner(ComparisonSettings settings, string directory)
{
    private readonly Lock console = new();

    /// <summary>Does the runs; those that have a result already only when <paramref name="resume"/> is not set.</summary>
    /// <param name="runs">What to run.</param>
    /// <param name="parallel">How many at once.</param>
    /// <param name="resume">Whether results that are there count.</param>
    /// <param name="cancellationToken">Ends the processes; finished runs keep their results.</param>
    public async Task<IReadOnlyList<FinishedRun>> RunAsync(
        IReadOnlyList<ComparisonRun> runs, int parallel, bool resume, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        var finished = new ConcurrentDictionary<string, FinishedRun>(StringComparer.Ordinal);
        var waiting = new List<ComparisonRun>();

        // Two labels may stand for the same run; it is done once.
        foreach (var run in runs.DistinctBy(r => r.Name))
        {
            if (resume && RunResult.Read(PathOf(run)) is { } result)
            {
                finished[run.Name] = new FinishedRun(run, result, null);
            }
            else
            {
                waiting.Add(run);
            }
        }

        if (finished.Count > 0)
        {
            var now = GitCommit.Current();
            var older = finished.Values.Count(f => f.Result!.Commit != now);
            AnsiConsole.MarkupLineInterpolated(
                $"  {finished.Count} of {runs.Count} runs are there already{(older > 0 ? $", {older} of them made by other code than {now}" : "")}");
        }

        var (clock, done) = (Stopwatch.StartNew(), 0);
        await Parallel.ForEachAsync(
            waiting,
            new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = cancellationToken },
            async (run, token) =>
            {
                var outcome = await RunAsync(run, token).ConfigureAwait(false);
                finished[run.Name] = outcome;
                Tell(outcome, Interlocked.Increment(ref done), waiting.Count, clock.Elapsed);
            }).ConfigureAwait(false);
        return [.. runs.Select(run => finished[run.Name] with { Run = run })];
    }

    private async Task<FinishedRun> RunAsync(ComparisonRun run, CancellationToken cancellationToken)
    {
        var log = Path.Combine(directory, run.Name + ".log");
        File.Delete(PathOf(run));
        await using var lines = new StreamWriter(log) { AutoFlush = true };
        await using var process = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet",
            Arguments = [.. Arguments(run)],
            Environment = new Dictionary<string, string?>
            {
                ["OMP_NUM_THREADS"] = settings.Threads.ToString(CultureInfo.InvariantCulture),
            },
            OnLine = lines.WriteLine,
        });
        var code = await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        if (code == 0 && RunResult.Read(PathOf(run)) is { } result)
        {
            return new FinishedRun(run, result, null);
        }

        var reason = process.LastLines.LastOrDefault(l => l.StartsWith("nearline:", StringComparison.Ordinal))
            ?? process.LastLines.FirstOrDefault(l => l.Contains("exception", StringComparison.OrdinalIgnoreCase))
            ?? $"exit code {code}";
        return new FinishedRun(run, null, $"{reason.Replace("nearline: ", "", StringComparison.Ordinal).Trim()} (log: {log})");
    }

    private IEnumerable<string> Arguments(ComparisonRun run)
    {
        yield return Path.Combine(AppContext.BaseDirectory, "nearline.dll");
        yield return CompareRunCommand.Name;
        foreach (var (name, value) in new[]
        {
            ("--data", settings.Data),
            ("--dataset", settings.Dataset),
            ("--protocol", settings.Protocol),
            ("--model", run.Model.Entry),
            ("--seed", run.Seed?.ToString(CultureInfo.InvariantCulture)),
            ("--threads", settings.Threads.ToString(CultureInfo.InvariantCulture)),
            ("--device", settings.Device),
            ("--graph", run.Model.UsesGraph ? settings.Graph?.Folder : null),
            ("--out", PathOf(run)),
        })
        {
            if (value is not null)
            {
                yield return name;
                yield return value;
            }
        }

        if (settings.UnfilteredToo)
        {
            yield return "--unfiltered-too";
        }
    }

    private string PathOf(ComparisonRun run) => Path.Combine(directory, run.Name + ".json");

    private void Tell(FinishedRun outcome, int done, int of, TimeSpan elapsed)
    {
        var figures = outcome.Result is { } result
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"HR@20 {result.Filtered.Average.Hr20:F4}, HR@100 {result.Filtered.Average.Hr100:F4}, NDCG@10 {result.Filtered.Average.Ndcg10:F4}, validation HR@20 {result.Validation.Hr20:F4}; fitted in {result.TrainSeconds:F0} s{(result.BestEpoch is { } best ? $", best epoch {best} of {result.Epochs}" : "")}")
            : "failed: " + outcome.Error;
        var left = done < of ? string.Create(CultureInfo.InvariantCulture, $"; some {(of - done) * elapsed.TotalMinutes / done:F0} min left") : "";
        lock (console)
        {
            AnsiConsole.MarkupLineInterpolated($"  {done} of {of}  {outcome.Run.Title}: {figures}{left}");
        }
    }
}

/// <summary>A run and how it ended.</summary>
/// <param name="Run">The run.</param>
/// <param name="Result">What it found out; null when it failed.</param>
/// <param name="Error">Why it failed; null when it did not.</param>
internal sealed record FinishedRun(ComparisonRun Run, RunResult? Result, string? Error);
