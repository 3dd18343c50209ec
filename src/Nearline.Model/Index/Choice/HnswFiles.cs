using Nearline.Model.Index.Hnsw;

namespace Nearline.Model.Index;

/// <summary>Where the graph of a model's index may be saved.</summary>
/// <param name="Bundled">In its bundle; null: it has none.</param>
/// <param name="Beside">A place of its own, for a graph that was built when the bundle was loaded.</param>
internal sealed record HnswFiles(string? Bundled, string Beside)
{
    /// <summary>The name in a bundle.</summary>
    public const string Name = "index.hnsw";

    private const string BesideFolder = ".index";
    private const int RowsCompared = 1000;

    /// <summary>Of the bundle in a folder of bundles.</summary>
    public static HnswFiles Of(string bundle, bool hasFile) => new(
        hasFile ? Path.Combine(bundle, Name) : null,
        Path.Combine(Path.GetDirectoryName(bundle)!, BesideFolder, Path.GetFileName(bundle) + Path.GetExtension(Name)));

    /// <summary>Opens the graph that is saved.</summary>
    /// <returns>Null where there is none, or where the one beside the bundle is of no use.</returns>
    /// <exception cref="InvalidDataException">The bundle's own is broken, or has other rows.</exception>
    public HnswIndex? Open(float[] rows, int dimension)
    {
        if (Bundled is not null)
        {
            var index = HnswIndex.Open(Bundled);
            return IsOf(index, rows, dimension)
                ? index
                : throw new InvalidDataException($"{Bundled}: has other rows than the bundle's index.safetensors");
        }

        try
        {
            return File.Exists(Beside) && HnswIndex.Open(Beside) is var beside && IsOf(beside, rows, dimension) ? beside : null;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            // It is built anew.
            return null;
        }
    }

    /// <summary>Saves a graph beside the bundle, and removes those of bundles that are gone.</summary>
    /// <returns>Why it could not be saved; null: it was.</returns>
    public string? Save(HnswIndex index)
    {
        try
        {
            var folder = Path.GetDirectoryName(Beside)!;
            Directory.CreateDirectory(folder);
            foreach (var other in Directory.EnumerateFiles(folder))
            {
                if (!Directory.Exists(Path.Combine(folder, "..", Path.GetFileNameWithoutExtension(other))))
                {
                    File.Delete(other);
                }
            }

            index.Save(Beside);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    /// <summary>Checksums tell whether a file is whole; this, whether it belongs here.</summary>
    private static bool IsOf(HnswIndex index, float[] rows, int dimension)
    {
        if (index.Dimension != dimension || index.Count != rows.Length / dimension)
        {
            return false;
        }

        var step = Math.Max(1, index.Count / RowsCompared);
        for (var row = 0; row < index.Count; row += step)
        {
            if (!index.Row(row).SequenceEqual(rows.AsSpan(row * dimension, dimension)))
            {
                return false;
            }
        }

        return true;
    }
}
