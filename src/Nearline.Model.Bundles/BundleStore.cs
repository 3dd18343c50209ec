using System.Diagnostics;
using System.Text;

namespace Nearline.Model.Bundles;

/// <summary>
/// A folder of bundles and the pointer to the active one. Several processes may use one folder: the pointer is
/// replaced atomically, and changes of it take turns.
/// </summary>
/// <remarks>
/// The pointer is the file <c>active</c>: the active version on the first line, those active before it on the lines
/// below, latest first.
/// </remarks>
public sealed class BundleStore
{
    private const string PointerFile = "active";
    private const string LockFile = ".active.lock";
    private const int MaxHistory = 32;

    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LockRetry = TimeSpan.FromMilliseconds(5);

    /// <summary>Uses a folder, which need not be there yet.</summary>
    public BundleStore(string modelsDirectory)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelsDirectory);
        ModelsDirectory = Path.GetFullPath(modelsDirectory);
    }

    /// <summary>The folder.</summary>
    public string ModelsDirectory { get; }

    /// <summary>The active version; null when none was activated yet. Cheap: callers poll it.</summary>
    /// <exception cref="BundleException">The pointer names no version.</exception>
    public string? ActiveVersion => ReadPointer() is [var active, ..] ? active : null;

    /// <summary>The version that was active before; null when there was none.</summary>
    /// <exception cref="BundleException">The pointer names no version.</exception>
    public string? Previous => ReadPointer() is [_, var previous, ..] ? previous : null;

    /// <summary>All bundles, newest first by their time, then by version. Broken ones are skipped and reported.</summary>
    /// <param name="verify">Whether to read every file and verify its hash; sizes are always verified.</param>
    public BundleList List(bool verify = false)
    {
        var bundles = new List<BundleDirectory>();
        var broken = new List<BundleException>();
        if (Directory.Exists(ModelsDirectory))
        {
            foreach (var path in Directory.EnumerateDirectories(ModelsDirectory).Order(StringComparer.Ordinal))
            {
                if (!BundleVersion.IsName(Path.GetFileName(path)))
                {
                    continue;
                }

                try
                {
                    bundles.Add(BundleDirectory.Open(path, verify));
                }
                catch (BundleException e)
                {
                    broken.Add(e);
                }
            }
        }

        bundles.Sort((a, b) =>
            b.Manifest.CreatedAt.CompareTo(a.Manifest.CreatedAt) is var byTime and not 0
                ? byTime
                : string.CompareOrdinal(b.Version, a.Version));
        return new BundleList(bundles, broken);
    }

    /// <summary>Opens one bundle and verifies all of it.</summary>
    /// <exception cref="BundleException">It is not there or broken.</exception>
    public BundleDirectory Open(string version) => BundleDirectory.Open(PathOf(version));

    /// <summary>Where a bundle of this version is, if there is one.</summary>
    public string PathOf(string version) => Path.Combine(ModelsDirectory, BundleVersion.Require(version, nameof(version)));

    /// <summary>Points at a bundle after verifying all of it. Activating the active one changes nothing.</summary>
    /// <param name="version">The bundle.</param>
    /// <param name="cancellationToken">Gives up before the pointer is changed.</param>
    /// <returns>The version that was active until now; null when there was none.</returns>
    /// <exception cref="BundleException">The bundle is broken; the pointer stays.</exception>
    public string? Activate(string version, CancellationToken cancellationToken = default)
    {
        Open(version);
        cancellationToken.ThrowIfCancellationRequested();
        using (Lock())
        {
            var history = ReadPointer();
            if (history is [var active, ..] && active == version)
            {
                return active;
            }

            WritePointer([version, .. history]);
            return history.FirstOrDefault();
        }
    }

    /// <summary>Points back at the bundle that was active before, after verifying it. Repeated, it goes further back.</summary>
    /// <returns>The version that is active now.</returns>
    /// <exception cref="BundleException">None was active before, or that bundle is broken; the pointer stays.</exception>
    public string Rollback()
    {
        using (Lock())
        {
            if (ReadPointer() is not [_, var previous, .. var older])
            {
                throw new BundleException(
                    Path.Combine(ModelsDirectory, PointerFile), "no version was active before; nothing to roll back to");
            }

            Open(previous);
            WritePointer([previous, .. older]);
            return previous;
        }
    }

    private string[] ReadPointer()
    {
        var path = Path.Combine(ModelsDirectory, PointerFile);
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BundleException(path, $"cannot be read: {e.Message}", e);
        }

        var versions = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (versions.Length == 0)
        {
            throw new BundleException(path, "expected a version, found nothing; delete the file or activate a version");
        }

        return Array.Find(versions, v => !BundleVersion.IsName(v)) is { } wrong
            ? throw new BundleException(path, $"expected a version, found '{wrong}'")
            : versions;
    }

    private void WritePointer(IEnumerable<string> versions) =>
        DurableFiles.Replace(
            Path.Combine(ModelsDirectory, PointerFile),
            Encoding.ASCII.GetBytes(string.Concat(versions.Take(MaxHistory).Select(version => version + "\n"))));

    // An exclusive handle is a lock between processes too, and the system releases it when its holder dies.
    internal FileStream Lock()
    {
        Directory.CreateDirectory(ModelsDirectory);
        var path = Path.Combine(ModelsDirectory, LockFile);
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e)
            {
                if (waited.Elapsed >= LockTimeout)
                {
                    throw new BundleException(path, $"held by another process for {LockTimeout.TotalSeconds} s: {e.Message}", e);
                }

                Thread.Sleep(LockRetry);
            }
        }
    }
}
