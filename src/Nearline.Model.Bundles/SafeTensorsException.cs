namespace Nearline.Model.Bundles;

/// <summary>A file that is not a safetensors file as the format demands, or lacks the tensor asked for.</summary>
public sealed class SafeTensorsException : Exception
{
    /// <summary>Creates the error of one file.</summary>
    public SafeTensorsException(string file, string problem, Exception? inner = null)
        : base($"{file}: {problem}", inner) => File = file;

    /// <summary>The file.</summary>
    public string File { get; }
}
