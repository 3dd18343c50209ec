namespace Nearline.Model.Behaviours;

/// <summary>What a user can do; the actions of the event contract.</summary>
public enum ActionKind
{
    /// <summary>Opened the service.</summary>
    Login = 1,

    /// <summary>Watched some of a show.</summary>
    Watch,

    /// <summary>Put a show on the list.</summary>
    Save,

    /// <summary>Took a show off the list.</summary>
    Unsave,

    /// <summary>Thumbs up.</summary>
    Like,

    /// <summary>Thumbs down.</summary>
    Dislike,

    /// <summary>Was shown a show.</summary>
    Impression,

    /// <summary>Profile attributes or scenarios changed.</summary>
    ProfileUpdate,

    /// <summary>All of the user is to be deleted.</summary>
    DeleteUser,
}
