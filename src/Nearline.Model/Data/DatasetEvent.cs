using Nearline.Model.Behaviours;

namespace Nearline.Model.Data;

/// <summary>One action and who acted: a line of events.jsonl, a message of the event topic.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Action">The action.</param>
public sealed record DatasetEvent(string UserId, UserAction Action);
