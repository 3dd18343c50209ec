namespace Nearline.Model.Tests.Support;

/// <summary>Public research data beside the repository: ../shared/data, read where it is present.</summary>
internal static class RealData
{
    public static string? Directory { get; } = Find();

    private static string? Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Nearline.sln")))
            {
                var data = Path.Combine(at.FullName, "..", "shared", "data");
                return System.IO.Directory.Exists(data) ? Path.GetFullPath(data) : null;
            }
        }

        return null;
    }
}

/// <summary>A test that needs the real data and is skipped, visibly, without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RealDataFactAttribute : FactAttribute
{
    public RealDataFactAttribute() => Skip = RealData.Directory is null ? "../shared/data is not there" : null;
}
