using System.Globalization;
using System.Text;

namespace Nearline.Model.Bundles;

/// <summary>A bundle on disk whose manifest and files were checked.</summary>
public sealed class BundleDirectory
{
    /// <summary>
    /// The manifest's own checksum, in the form that <c>sha256sum --check</c> reads: the manifest vouches for every
    /// other file, this one for the manifest.
    /// </summary>
    public const string ManifestChecksumFile = BundleManifest.FileName + ".sha256";

    private BundleDirectory(string path, BundleManifest manifest) => (Path, Manifest) = (path, manifest);

    /// <summary>The directory.</summary>
    public string Path { get; }

    /// <summary>What the bundle is.</summary>
    public BundleManifest Manifest { get; }

    /// <summary>The bundle's version.</summary>
    public string Version => Manifest.Version;

    /// <summary>Opens a bundle and verifies schema, sizes and every hash: reads all of it once.</summary>
    /// <exception cref="BundleException">
    /// A file is missing, too many, or not what the manifest says; the file, what was expected and what was found are named.
    /// </exception>
    public static BundleDirectory Open(string path) => Open(path, hashes: true);

    /// <summary>Where a file of the bundle is.</summary>
    /// <exception cref="BundleException">The manifest lists none of that name.</exception>
    public string PathOf(string name) =>
        Manifest.Files.ContainsKey(name)
            ? System.IO.Path.Combine(Path, name)
            : throw new BundleException(
                System.IO.Path.Combine(Path, BundleManifest.FileName),
                $"lists no file '{name}'; it lists {string.Join(", ", Manifest.Files.Keys.Order(StringComparer.Ordinal))}");

    internal static BundleDirectory Open(string path, bool hashes)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (!Directory.Exists(path))
        {
            throw new BundleException(path, "there is no such bundle");
        }

        var manifestPath = System.IO.Path.Combine(path, BundleManifest.FileName);
        var manifest = Guard(manifestPath, () => ReadManifest(manifestPath, path));
        var directory = System.IO.Path.GetFileName(path);
        if (manifest.Version != directory)
        {
            throw new BundleException(manifestPath, $"version: expected '{directory}', the directory's name, found '{manifest.Version}'");
        }

        foreach (var entry in Directory.EnumerateFileSystemEntries(path).Order(StringComparer.Ordinal))
        {
            var name = System.IO.Path.GetFileName(entry);
            if (!IsOwnFile(name) && !manifest.Files.ContainsKey(name))
            {
                throw new BundleException(entry, "expected no such file: the manifest does not list it");
            }
        }

        foreach (var (name, expected) in manifest.Files.OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            if (!BundleVersion.IsName(name) || IsOwnFile(name))
            {
                throw new BundleException(manifestPath, $"files: '{name}': not a file's name");
            }

            var file = System.IO.Path.Combine(path, name);
            Guard(file, () =>
            {
                Verify(file, expected, hashes);
                return 0;
            });
        }

        return new BundleDirectory(path, manifest);
    }

    internal static bool IsOwnFile(string name) => name is BundleManifest.FileName or ManifestChecksumFile;

    internal static byte[] ManifestChecksum(ReadOnlySpan<byte> manifest) =>
        Encoding.ASCII.GetBytes($"{Checksums.Of(manifest)}  {BundleManifest.FileName}\n");

    private static BundleManifest ReadManifest(string manifestPath, string path)
    {
        var json = File.ReadAllBytes(manifestPath);
        var checksumPath = System.IO.Path.Combine(path, ManifestChecksumFile);
        var found = Guard(checksumPath, () => File.ReadAllBytes(checksumPath));
        var expected = ManifestChecksum(json);
        return found.AsSpan().SequenceEqual(expected)
            ? BundleManifest.Parse(json, manifestPath)
            : throw new BundleException(
                manifestPath,
                $"sha256: expected {Line(found)} as {ManifestChecksumFile} says, found {Line(expected)}");
    }

    private static string Line(ReadOnlySpan<byte> checksum)
    {
        var text = Encoding.Latin1.GetString(checksum[..Math.Min(checksum.Length, 100)]);
        return "'" + string.Concat(text.TrimEnd('\n').Select(c => char.IsControl(c) || c > '~' ? '?' : c)) + "'";
    }

    private static void Verify(string file, BundleFile expected, bool hashes)
    {
        var bytes = new FileInfo(file).Length;
        if (bytes != expected.Bytes)
        {
            throw new BundleException(file, string.Create(
                CultureInfo.InvariantCulture, $"expected {expected.Bytes} bytes, found {bytes}"));
        }

        if (hashes && Checksums.OfFile(file).Sha256 is var sha256 && sha256 != expected.Sha256)
        {
            throw new BundleException(file, $"sha256: expected {expected.Sha256}, found {sha256}");
        }
    }

    private static T Guard<T>(string file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (FileNotFoundException e)
        {
            throw new BundleException(file, "expected the file, found none", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BundleException(file, $"cannot be read: {e.Message}", e);
        }
    }
}
