namespace Nearline.Model.Data.Import;

/// <summary>Finds out which dataset a directory holds by the files that are in it.</summary>
public static class DatasetImport
{
    private const string AttributesSuffix = "_item2attributes.json";

    private static readonly string[] OwnFiles =
        [DatasetFiles.ShowsFile, DatasetFiles.UsersFile, DatasetFiles.ScenariosFile, DatasetFiles.EventsFile];

    private static readonly string[] MovieLensFiles =
        [MovieLensImport.RatingsFile, MovieLensImport.FilmsFile, MovieLensImport.UsersFile];

    /// <summary>Every dataset in the directory, by name; empty when there is none.</summary>
    /// <exception cref="DatasetException">There is no such directory.</exception>
    public static IReadOnlyList<DatasetSource> Find(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        if (!Directory.Exists(directory))
        {
            throw new DatasetException(directory, "", "there is no such directory");
        }

        var found = new List<DatasetSource>();
        if (HasAll(directory, OwnFiles))
        {
            found.Add(new DatasetSource(
                "nearline", "Nearline's dataset directory", (progress, ct) => DatasetFiles.Read(directory, progress, ct)));
        }

        if (HasAll(directory, MovieLensFiles))
        {
            found.Add(new DatasetSource("ml-100k", "MovieLens 100K", (_, ct) => MovieLensImport.Read(directory, ct)));
        }

        foreach (var attributes in Directory.EnumerateFiles(directory, "*" + AttributesSuffix).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(attributes)[..^AttributesSuffix.Length];
            var sequences = Path.Combine(directory, name + ".txt");
            if (name.Length > 0 && File.Exists(sequences))
            {
                found.Add(new DatasetSource(
                    name, "Amazon sequences and attributes", (_, ct) => AmazonImport.Read(sequences, attributes, ct)));
            }
        }

        return found;
    }

    /// <summary>The dataset in the directory: the only one, or the one named.</summary>
    /// <param name="directory">Where to look; not below it.</param>
    /// <param name="name">Which, when the directory holds several; null: the only one.</param>
    /// <exception cref="DatasetException">None is there, or not that one, or several and none was named.</exception>
    public static DatasetSource Detect(string directory, string? name = null)
    {
        var found = Find(directory);
        if (found.Count == 0)
        {
            throw new DatasetException(
                directory,
                "",
                $"no dataset; looked for {string.Join(" + ", OwnFiles)} (Nearline), {string.Join(" + ", MovieLensFiles)} " +
                $"(MovieLens 100K) and NAME.txt + NAME{AttributesSuffix} (Amazon)");
        }

        var names = string.Join(", ", found.Select(source => source.Name));
        if (name is not null)
        {
            return found.FirstOrDefault(source => string.Equals(source.Name, name, StringComparison.OrdinalIgnoreCase)) ??
                throw new DatasetException(directory, "", $"no dataset named '{name}'; there is {names}");
        }

        return found.Count == 1
            ? found[0]
            : throw new DatasetException(directory, "", $"several datasets; name one of {names}");
    }

    private static bool HasAll(string directory, string[] names) =>
        names.All(name => File.Exists(Path.Combine(directory, name)));
}
