using System.Globalization;
using Nearline.Model.Data.Files;

namespace Nearline.Model.Data.Import;

/// <summary>Lines of a text file, with positions for messages.</summary>
internal static class ImportFile
{
    public static IEnumerable<(string Line, DatasetPosition At)> Lines(string path)
    {
        using var reader = new StreamReader(DatasetFiles.OpenRead(path));
        for (var number = 1L; reader.ReadLine() is { } line; number++)
        {
            yield return (line, new DatasetPosition(path, number));
        }
    }

    /// <summary>The rows below a header that must be exactly this; each row has a value for every column.</summary>
    public static IEnumerable<(string[] Row, DatasetPosition At)> Table(string path, params string[] columns)
    {
        var sawHeader = false;
        foreach (var (line, at) in Lines(path))
        {
            var row = line.Split('\t');
            if (!sawHeader)
            {
                sawHeader = row.SequenceEqual(columns, StringComparer.Ordinal)
                    ? true
                    : throw at.Fail("", $"header '{line}': must be, tab separated, '{string.Join(' ', columns)}'");
                continue;
            }

            if (line.Length == 0)
            {
                continue;
            }

            if (row.Length != columns.Length)
            {
                throw at.Fail("", string.Create(
                    CultureInfo.InvariantCulture, $"{row.Length} columns; the header has {columns.Length}"));
            }

            yield return (row, at);
        }

        if (!sawHeader)
        {
            throw new DatasetException(path, "", "empty; a header is needed");
        }
    }

    public static uint Id(string text, string field, DatasetPosition at) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id
            : throw at.Fail(field, $"'{text}': must be a whole number from 0");
}
