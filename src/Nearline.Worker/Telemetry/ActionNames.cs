using Nearline.Model.Behaviours;

namespace Nearline.Worker.Telemetry;

/// <summary>Actions by their names in the event contract: in options, metrics and messages.</summary>
internal static class ActionNames
{
    public static string Of(ActionKind kind) => kind switch
    {
        ActionKind.Login => "login",
        ActionKind.Watch => "watch",
        ActionKind.Save => "save",
        ActionKind.Unsave => "unsave",
        ActionKind.Like => "like",
        ActionKind.Dislike => "dislike",
        ActionKind.Impression => "impression",
        ActionKind.ProfileUpdate => "profile_update",
        ActionKind.DeleteUser => "delete_user",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "not an action of the contract"),
    };
}
