namespace Nearline.Model.Serving;

/// <summary>What of a model's score ranks shows. All but the first are for evaluation.</summary>
public enum ScoringView
{
    /// <summary>All of it, as sets are served.</summary>
    Served,

    /// <summary>Every show is scored as one that the model has no ID embedding of: by what content says, in both channels.</summary>
    AsNew,

    /// <summary>The CG channel's part alone, the inner product of u^CG and E^CG.</summary>
    Cg,
}
