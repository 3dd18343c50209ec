namespace Nearline.Model.Data;

/// <summary>What is known of a user apart from events.</summary>
/// <param name="Id">The user.</param>
public sealed record UserProfile(string Id)
{
    /// <summary>Attributes, such as gender.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>The scenarios in which the user is served; empty: all.</summary>
    public IReadOnlyList<string> Scenarios { get; init; } = [];
}
