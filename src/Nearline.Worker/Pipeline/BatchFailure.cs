namespace Nearline.Worker.Pipeline;

/// <summary>A user whose events cannot be processed though they are valid.</summary>
/// <param name="Work">The user's part of the batch.</param>
/// <param name="Reason">What failed, from a bounded set: a label of metrics.</param>
/// <param name="Error">What happened.</param>
/// <param name="Attempts">How often it was tried.</param>
internal sealed record BatchFailure(UserWork Work, string Reason, string Error, int Attempts);
