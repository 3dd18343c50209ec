namespace Nearline.Model.Behaviours;

/// <summary>The coarse-grained kinds of content whose behaviours M5 keeps apart (paper, section 4.3.1).</summary>
public enum ShowCategory
{
    /// <summary>A series on demand.</summary>
    Series = 1,

    /// <summary>A film on demand.</summary>
    Movie = 2,

    /// <summary>A live broadcast or event.</summary>
    Live = 3,
}
