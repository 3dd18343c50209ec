namespace Nearline.Model.Serving;

/// <summary>What of a model's score ranks shows. The second is for evaluation: how new shows are found.</summary>
public enum ScoringView
{
    /// <summary>All of it, as sets are served.</summary>
    Served,

    /// <summary>The CG channel's part alone, the inner product of u^CG and E^CG.</summary>
    Cg,
}
