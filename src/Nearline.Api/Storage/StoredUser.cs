namespace Nearline.Api.Storage;

/// <summary>What Redis has of a user for one answer, as stored.</summary>
/// <param name="Set">A <see cref="Contracts.Storage.V1.RetrievalSet"/>, or null.</param>
/// <param name="Variant">The same of the experiment that was asked for, or null.</param>
/// <param name="Watched">A <see cref="Contracts.Storage.V1.WatchedShows"/>, or null.</param>
internal readonly record struct StoredUser(byte[]? Set, byte[]? Variant, byte[]? Watched);
