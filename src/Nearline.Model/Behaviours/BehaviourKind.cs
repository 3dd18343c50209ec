namespace Nearline.Model.Behaviours;

/// <summary>The kinds of behaviour; each is a sequence of its own in the model (paper, section 3.2).</summary>
public enum BehaviourKind
{
    /// <summary>Watched.</summary>
    Watch = 1,

    /// <summary>Put on the list of things to watch.</summary>
    Save = 2,

    /// <summary>Thumbs up.</summary>
    Like = 3,

    /// <summary>Thumbs down.</summary>
    Dislike = 4,
}
