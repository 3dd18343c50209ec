namespace Nearline.Model.Graph;

/// <summary>The kinds of nodes beside the shows in the <see cref="Metagraph"/>.</summary>
public enum MetaNodeKind
{
    /// <summary>A genre or theme.</summary>
    Tag = 0,

    /// <summary>A person in the cast.</summary>
    Cast = 1,

    /// <summary>A director.</summary>
    Director = 2,

    /// <summary>A franchise, studio or channel.</summary>
    Brand = 3,

    /// <summary>A category.</summary>
    Category = 4,

    /// <summary>Five years of release.</summary>
    Era = 5,

    /// <summary>What one show's texts say, as a vector.</summary>
    Text = 6,

    /// <summary>What one show looks like, as a vector.</summary>
    Visual = 7,
}
