namespace Nearline.Model.Bundles;

/// <summary>A bundle that is refused; the message names the file, what was expected and what was found.</summary>
public sealed class BundleException : Exception
{
    /// <summary>Creates the error of one file or bundle.</summary>
    /// <param name="path">The file, or the bundle's directory.</param>
    /// <param name="problem">What was expected and what was found.</param>
    /// <param name="inner">What was thrown below, if anything.</param>
    public BundleException(string path, string problem, Exception? inner = null)
        : base($"{path}: {problem}", inner) => Path = path;

    /// <summary>The file, or the bundle's directory.</summary>
    public string Path { get; }
}
