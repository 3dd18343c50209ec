using Grpc.Core;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Serving;

/// <summary>What one request gets: a response, or a status that says what is wrong.</summary>
/// <param name="Response">The response; null when the status is not OK.</param>
/// <param name="Status">The outcome.</param>
/// <param name="Degraded">Whether the answer is from memory because Redis did not answer.</param>
internal readonly record struct Answer(GetCandidatesResponse? Response, Status Status, bool Degraded)
{
    public static Answer Of(GetCandidatesResponse response, bool degraded = false) =>
        new(response, Status.DefaultSuccess, degraded);

    public static Answer Failed(StatusCode code, string message) => new(null, new Status(code, message), Degraded: false);
}
