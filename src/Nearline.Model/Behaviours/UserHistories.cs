using Nearline.Model.Data;

namespace Nearline.Model.Behaviours;

/// <summary>Histories at their beginning.</summary>
public static class UserHistories
{
    /// <summary>The history of a user before the first event: only the profile is known.</summary>
    public static UserHistory Start(UserProfile user)
    {
        ArgumentNullException.ThrowIfNull(user);
        return UserHistory.Restore([], user.Attributes, user.Scenarios, [], 0, null, null, null);
    }
}
