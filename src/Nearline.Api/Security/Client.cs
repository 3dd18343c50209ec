namespace Nearline.Api.Security;

/// <summary>Who calls.</summary>
/// <param name="Name">By configuration.</param>
/// <param name="Roles">What they may do.</param>
/// <param name="Calls">How often; null: as often as they like.</param>
internal sealed record Client(string Name, Roles Roles, TokenBucket? Calls);
