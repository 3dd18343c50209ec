using Nearline.Cli.Console;
using Nearline.Model.Data;
using Nearline.Model.Data.Import;

namespace Nearline.Cli.Commands;

/// <summary>Reads the data set that a command was pointed at, whatever its format.</summary>
internal static class DatasetInput
{
    /// <param name="directory">Where it lies.</param>
    /// <param name="name">Which, when the directory holds several; null: the only one.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="DatasetException">None is there, or it is broken: file, line, field and value are named.</exception>
    public static async Task<Dataset> ReadAsync(string directory, string? name, CancellationToken cancellationToken)
    {
        var source = DatasetImport.Detect(directory, name);
        return await Steps.RunAsync($"read {source.Name}", progress =>
            source.Read(
                new Forward<DatasetProgress>(p => progress.Report(new StepProgress(
                    p.TotalBytes > 0 ? (double)p.Bytes / p.TotalBytes : 0, p.File))),
                cancellationToken)).ConfigureAwait(false);
    }

    // Progress<T> would post to a thread pool and could report after the end.
    private sealed class Forward<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
