namespace Nearline.Api.Tests.Support;

/// <summary>Files of the repository that tests use where they lie.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string File(string path) => Path.Combine(Root, path);

    private static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(directory.FullName, "Nearline.sln")))
            {
                return directory.FullName;
            }
        }

        throw new InvalidOperationException($"'{AppContext.BaseDirectory}' is not below the repository.");
    }
}
