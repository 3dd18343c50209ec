namespace Nearline.Model.Data.Import;

/// <summary>A dataset that can be read, in whichever format it lies there.</summary>
public sealed class DatasetSource
{
    private readonly Func<IProgress<DatasetProgress>?, CancellationToken, Dataset> read;

    internal DatasetSource(string name, string format, Func<IProgress<DatasetProgress>?, CancellationToken, Dataset> read)
    {
        Name = name;
        Format = format;
        this.read = read;
    }

    /// <summary>Its name within the directory, such as <c>ml-100k</c>.</summary>
    public string Name { get; }

    /// <summary>What people call the format.</summary>
    public string Format { get; }

    /// <summary>Reads it all.</summary>
    /// <exception cref="DatasetException">A file is missing or a line is wrong.</exception>
    public Dataset Read(IProgress<DatasetProgress>? progress = null, CancellationToken cancellationToken = default) =>
        read(progress, cancellationToken);
}
