using Grpc.Core;

namespace Nearline.Api.Serving;

/// <summary>What one request gets: a response, or a status that says what is wrong.</summary>
/// <param name="Response">The response, to be disposed by who writes it; null when the status is not OK.</param>
/// <param name="Status">The outcome.</param>
/// <param name="Degraded">Whether the answer is from memory because Redis did not answer.</param>
internal readonly record struct Answer(RenderedResponse? Response, Status Status, bool Degraded)
{
    public static Answer Of(RenderedResponse response, bool degraded = false) =>
        new(response, Status.DefaultSuccess, degraded);

    public static Answer Failed(StatusCode code, string message) => new(null, new Status(code, message), Degraded: false);
}
