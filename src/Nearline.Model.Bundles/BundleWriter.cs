namespace Nearline.Model.Bundles;

/// <summary>
/// Writes a bundle beside the others under a temporary name and renames it when it is whole: a reader never sees a
/// part of one. Disposed without <see cref="Commit"/>, it leaves nothing behind. Not thread-safe.
/// </summary>
public sealed class BundleWriter : IDisposable
{
    internal const string TemporaryPrefix = ".tmp-";

    private readonly string modelsDirectory;
    private readonly string temporary;
    private bool isDone;

    /// <summary>Begins a bundle.</summary>
    /// <param name="modelsDirectory">The folder of bundles, made when it is missing.</param>
    /// <param name="version">The bundle's version, not yet in the folder; <see cref="BundleVersion.New"/> makes one.</param>
    /// <exception cref="BundleException">A bundle of this version is there.</exception>
    public BundleWriter(string modelsDirectory, string version)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelsDirectory);
        Version = BundleVersion.Require(version, nameof(version));
        this.modelsDirectory = Path.GetFullPath(modelsDirectory);
        if (Path.Exists(Target))
        {
            throw new BundleException(Target, "exists already; a bundle is never overwritten");
        }

        temporary = Path.Combine(this.modelsDirectory, $"{TemporaryPrefix}{version}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(temporary);
    }

    /// <summary>The bundle's version.</summary>
    public string Version { get; }

    private string Target => Path.Combine(modelsDirectory, Version);

    /// <summary>Where to write a file of the bundle; everything there at <see cref="Commit"/> belongs to it.</summary>
    /// <param name="name">The file's name: letters, digits, '-', '_' and '.'.</param>
    public string PathOf(string name)
    {
        ObjectDisposedException.ThrowIf(isDone, this);
        if (!BundleVersion.IsName(name) || BundleDirectory.IsOwnFile(name))
        {
            throw new ArgumentException(
                $"name: '{name}': must be letters, digits, '-', '_' and '.', and not one of {BundleManifest.FileName} and its checksum",
                nameof(name));
        }

        return Path.Combine(temporary, name);
    }

    /// <summary>
    /// Flushes every file to the disk, records its size and SHA-256 in the manifest, writes the manifest last and
    /// renames the whole to its version.
    /// </summary>
    /// <param name="manifest">What the bundle is; its version must be this one, its files are filled in.</param>
    /// <returns>The finished bundle.</returns>
    /// <exception cref="BundleException">A bundle of this version has appeared meanwhile.</exception>
    public BundleDirectory Commit(BundleManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ObjectDisposedException.ThrowIf(isDone, this);
        if (manifest.Version != Version)
        {
            throw new ArgumentException($"version: '{manifest.Version}': must be '{Version}'", nameof(manifest));
        }

        if (Directory.EnumerateDirectories(temporary).FirstOrDefault() is { } folder)
        {
            throw new BundleException(folder, "a folder; a bundle has files only");
        }

        var files = new Dictionary<string, BundleFile>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(temporary))
        {
            using (var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite))
            {
                stream.Flush(flushToDisk: true);
            }

            var (sha256, bytes) = Checksums.OfFile(path);
            files[Path.GetFileName(path)] = new BundleFile(sha256, bytes);
        }

        var json = (manifest with { Schema = BundleManifest.CurrentSchema, Files = files }).ToJson();
        DurableFiles.Write(
            Path.Combine(temporary, BundleDirectory.ManifestChecksumFile), BundleDirectory.ManifestChecksum(json));
        DurableFiles.Write(Path.Combine(temporary, BundleManifest.FileName), json);
        DurableFiles.FlushDirectory(temporary);
        try
        {
            Directory.Move(temporary, Target);
        }
        catch (IOException e) when (Path.Exists(Target))
        {
            throw new BundleException(Target, "exists already; a bundle is never overwritten", e);
        }

        isDone = true;
        DurableFiles.FlushDirectory(modelsDirectory);
        return BundleDirectory.Open(Target);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!isDone)
        {
            isDone = true;
            Directory.Delete(temporary, recursive: true);
        }
    }
}
