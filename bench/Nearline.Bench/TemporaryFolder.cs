namespace Nearline.Bench;

/// <summary>A folder that goes with this.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("nearline-bench-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
