using Nearline.Model.Behaviours;

namespace Nearline.Model.Data.Files;

/// <summary>The JSON names of UserEvent's oneof.</summary>
internal static class ActionNames
{
    private static readonly (ActionKind Kind, string Name)[] Names =
    [
        (ActionKind.Login, "login"),
        (ActionKind.Watch, "watch"),
        (ActionKind.Save, "save"),
        (ActionKind.Unsave, "unsave"),
        (ActionKind.Like, "like"),
        (ActionKind.Dislike, "dislike"),
        (ActionKind.Impression, "impression"),
        (ActionKind.ProfileUpdate, "profileUpdate"),
        (ActionKind.DeleteUser, "deleteUser"),
    ];

    /// <summary>All names, for messages.</summary>
    public static string All { get; } = string.Join(", ", Names.Select(n => n.Name));

    public static string? Of(ActionKind kind) => Array.Find(Names, n => n.Kind == kind).Name;

    public static ActionKind? Parse(string name)
    {
        var found = Array.Find(Names, n => n.Name == name);
        return found.Name is null ? null : found.Kind;
    }

    public static bool IsAboutShow(ActionKind kind) => kind
        is ActionKind.Watch or ActionKind.Save or ActionKind.Unsave
        or ActionKind.Like or ActionKind.Dislike or ActionKind.Impression;
}
