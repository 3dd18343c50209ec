using System.Diagnostics;
using Spectre.Console;

namespace Nearline.Cli.Console;

/// <summary>Shows what takes longer than a second: a bar on a terminal, plain lines elsewhere.</summary>
internal static class Steps
{
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(5);

    /// <summary>Runs a step that reports the done fraction, from 0 to 1, and optionally a word on how it stands.</summary>
    public static async Task<T> RunAsync<T>(string title, Func<IProgress<StepProgress>, Task<T>> step)
    {
        var watch = Stopwatch.StartNew();
        var result = AnsiConsole.Profile.Capabilities.Interactive
            ? await WithBarAsync(title, step).ConfigureAwait(false)
            : await step(new LineProgress(title)).ConfigureAwait(false);
        if (watch.Elapsed > TimeSpan.FromSeconds(1))
        {
            AnsiConsole.MarkupLineInterpolated($"  {title}: done in {watch.Elapsed.TotalSeconds:F1} s");
        }

        return result;
    }

    /// <summary>Runs a synchronous step on a thread of its own.</summary>
    public static Task<T> RunAsync<T>(string title, Func<IProgress<StepProgress>, T> step) =>
        RunAsync(title, progress => Task.Factory.StartNew(
            () => step(progress), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));

    private static Task<T> WithBarAsync<T>(string title, Func<IProgress<StepProgress>, Task<T>> step) =>
        AnsiConsole.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask(Markup.Escape(title), maxValue: 1);
                return await step(new BarProgress(title, bar)).ConfigureAwait(false);
            });

    private sealed class BarProgress(string title, ProgressTask bar) : IProgress<StepProgress>
    {
        public void Report(StepProgress value)
        {
            bar.Value = value.Fraction;
            bar.Description = Markup.Escape(value.Detail is null ? title : $"{title}: {value.Detail}");
        }
    }

    private sealed class LineProgress(string title) : IProgress<StepProgress>
    {
        private readonly Lock gate = new();
        private long last = Stopwatch.GetTimestamp();

        public void Report(StepProgress value)
        {
            lock (gate)
            {
                if (Stopwatch.GetElapsedTime(last) < LineEvery)
                {
                    return;
                }

                last = Stopwatch.GetTimestamp();
            }

            AnsiConsole.MarkupLineInterpolated(
                $"  {title}: {value.Fraction:P0}{(value.Detail is null ? "" : ", " + value.Detail)}");
        }
    }
}

/// <summary>How far a step is.</summary>
/// <param name="Fraction">From 0 to 1.</param>
/// <param name="Detail">A word on how it stands, such as the loss.</param>
internal readonly record struct StepProgress(double Fraction, string? Detail = null);
