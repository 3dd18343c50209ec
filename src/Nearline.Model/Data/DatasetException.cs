namespace Nearline.Model.Data;

/// <summary>A dataset that cannot be read or written; the message names place, field and value, and what would be right.</summary>
public sealed class DatasetException : Exception
{
    /// <summary>Creates the error of one field.</summary>
    /// <param name="place">The file and line, or the part of a dataset in memory.</param>
    /// <param name="field">The field; empty when it is the whole line or file.</param>
    /// <param name="problem">The value and what would be right.</param>
    /// <param name="inner">What was thrown below, if anything.</param>
    public DatasetException(string place, string field, string problem, Exception? inner = null)
        : base(field.Length == 0 ? $"{place}: {problem}" : $"{place}: {field}: {problem}", inner)
    {
        Place = place;
        Field = field;
    }

    /// <summary>The file and line (<c>file:line</c>), or the part of a dataset in memory.</summary>
    public string Place { get; }

    /// <summary>The field; empty when it is the whole line or file.</summary>
    public string Field { get; }
}
