using System.Globalization;

namespace Nearline.Model.Data.Files;

/// <summary>Where in a file, or in a dataset in memory, something is: for messages.</summary>
internal readonly record struct DatasetPosition(string File, long Line)
{
    /// <summary>The error of a field here.</summary>
    public DatasetException Fail(string field, string problem, Exception? inner = null) =>
        new(ToString(), field, problem, inner);

    public override string ToString() =>
        Line == 0 ? File : string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}");
}
