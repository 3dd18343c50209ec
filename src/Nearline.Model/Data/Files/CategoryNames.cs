using Nearline.Model.Behaviours;

namespace Nearline.Model.Data.Files;

/// <summary>The names of nearline.catalog.v1.ShowCategory.</summary>
internal static class CategoryNames
{
    public const string All = "one of SHOW_CATEGORY_SERIES, SHOW_CATEGORY_MOVIE, SHOW_CATEGORY_LIVE";

    public static string Of(ShowCategory category) => category switch
    {
        ShowCategory.Series => "SHOW_CATEGORY_SERIES",
        ShowCategory.Movie => "SHOW_CATEGORY_MOVIE",
        ShowCategory.Live => "SHOW_CATEGORY_LIVE",
        _ => throw new ArgumentOutOfRangeException(nameof(category), category, All),
    };

    public static ShowCategory? Parse(string name) => name switch
    {
        "SHOW_CATEGORY_SERIES" => ShowCategory.Series,
        "SHOW_CATEGORY_MOVIE" => ShowCategory.Movie,
        "SHOW_CATEGORY_LIVE" => ShowCategory.Live,
        _ => null,
    };
}
