using Grpc.Core;

namespace Nearline.Client;

/// <summary>One user's answer out of many.</summary>
/// <param name="Status">OK, or why there is no set.</param>
/// <param name="Set">The set, when the status is OK.</param>
public sealed record CandidateResult(Status Status, CandidateSet? Set);
