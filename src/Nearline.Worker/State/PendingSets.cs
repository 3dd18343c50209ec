namespace Nearline.Worker.State;

/// <summary>Sets that are older than the state, and when they are to be made.</summary>
/// <param name="Due">At the latest, by the clock of the worker that put them off.</param>
/// <param name="Trigger">The latest event that makes them necessary.</param>
internal sealed record PendingSets(DateTimeOffset Due, SetTrigger Trigger);

/// <summary>The event that makes new sets necessary.</summary>
/// <param name="EventId">Its id.</param>
/// <param name="Time">Its own time.</param>
internal sealed record SetTrigger(string EventId, DateTimeOffset Time);
