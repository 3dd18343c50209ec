namespace Nearline.Api.Serving;

/// <summary>Whether a show goes into an answer, or why not.</summary>
internal enum FilterVerdict
{
    Admitted,
    Watched,
    Excluded,
    OtherCategory,
}
