using Nearline.Model.Behaviours;

namespace Nearline.Model.Serving;

/// <summary>How a model knows a show.</summary>
public enum ShowStanding
{
    /// <summary>It was trained with it.</summary>
    Known,

    /// <summary>It came after the model and is in the side segment: known by its content alone.</summary>
    New,

    /// <summary>It came after the model, and its content shares nothing with what the model knows.</summary>
    Unreachable,

    /// <summary>Neither model nor catalog has it.</summary>
    Unknown,
}

/// <summary>What would become of a show if a user's set were made at a time.</summary>
/// <param name="Standing">How the model knows it.</param>
/// <param name="Item">What is known of it; null where it has no place in the index.</param>
/// <param name="IsRemoved">Whether it is gone from the catalog.</param>
/// <param name="IsAvailable">Whether it may be recommended at that time.</param>
/// <param name="Pool">The categories of the scenario's pool; empty: all.</param>
/// <param name="IsWatched">Whether the user has watched it.</param>
/// <param name="IsUserServed">Whether the user is served in the scenario.</param>
public sealed record ShowInspection(
    ShowStanding Standing,
    CatalogItem? Item,
    bool IsRemoved,
    bool IsAvailable,
    IReadOnlyList<ShowCategory> Pool,
    bool IsWatched,
    bool IsUserServed)
{
    /// <summary>The parts of its score; null where it has no place in the index.</summary>
    public ScoreParts? Scores { get; init; }

    /// <summary>Its place in the set, from 0; null: it is not in it.</summary>
    public int? Place { get; init; }

    /// <summary>The set; empty for a user who is not served in the scenario.</summary>
    public IReadOnlyList<ScoredShow> Set { get; init; } = [];

    /// <summary>
    /// By score alone, how many of the shows that the user may get stand before it; null without a score, or in a catalog
    /// too large to score all of it.
    /// </summary>
    public int? Before { get; init; }

    /// <summary>How many shows the user may get.</summary>
    public int Servable { get; init; }

    /// <summary>Shows of the user's past by the cosine of their ID embeddings with this one's, highest first; ones without that part are left out.</summary>
    public IReadOnlyList<PastShow> NearestById { get; init; } = [];

    /// <summary>The same by their CG embeddings; empty for a model of one channel.</summary>
    public IReadOnlyList<PastShow> NearestByContent { get; init; } = [];

    /// <summary>What the user did with the show itself, latest first.</summary>
    public IReadOnlyList<ShowBehaviour> Behaviours { get; init; } = [];

    /// <summary>Whether it is in the pool of the scenario.</summary>
    public bool IsInPool => Item is null || Pool.Count == 0 || Pool.Contains(Item.Category);
}

/// <summary>Equation 6 in parts: w f_ID + (1 - w) f_CG.</summary>
/// <param name="Score">All of it, as the index computes it.</param>
/// <param name="IdScore">w f_ID.</param>
/// <param name="Weight">w; 1 in a model of one channel.</param>
/// <param name="IdProduct">f_ID, the inner product of u^ID and E^ID.</param>
/// <param name="CgProduct">f_CG; 0 in a model of one channel.</param>
public sealed record ScoreParts(float Score, float IdScore, float Weight, float IdProduct, float CgProduct)
{
    /// <summary>(1 - w) f_CG.</summary>
    public float CgScore => Score - IdScore;
}

/// <summary>A show of a user's past beside another.</summary>
/// <param name="ShowId">The show.</param>
/// <param name="Cosine">Of the two embeddings.</param>
/// <param name="Behaviours">What the user did with it, latest first.</param>
public sealed record PastShow(string ShowId, float Cosine, IReadOnlyList<ShowBehaviour> Behaviours);
