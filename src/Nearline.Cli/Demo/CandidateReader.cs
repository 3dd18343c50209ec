using System.Diagnostics;
using Grpc.Net.Client;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Cli.Demo;

/// <summary>The ranking stage's side of the api.</summary>
internal sealed class CandidateReader : IDisposable
{
    private const int MaxMultiGet = 200;

    private readonly GrpcChannel channel;
    private readonly CandidateService.CandidateServiceClient client;

    public CandidateReader(string address)
    {
        channel = GrpcChannel.ForAddress(address);
        client = new CandidateService.CandidateServiceClient(channel);
    }

    /// <summary>One user's candidates.</summary>
    public async Task<GetCandidatesResponse> GetAsync(
        string userId, string scenario, int limit, CancellationToken cancellationToken) =>
        await client.GetCandidatesAsync(
            new GetCandidatesRequest { UserId = userId, Scenario = scenario, Limit = limit },
            deadline: DateTime.UtcNow.AddSeconds(10),
            cancellationToken: cancellationToken).ResponseAsync.ConfigureAwait(false);

    /// <summary>Many users' candidates, in the order asked for.</summary>
    public async Task<IReadOnlyList<MultiGetCandidatesResult>> MultiGetAsync(
        IReadOnlyList<(string UserId, string Scenario)> users, int limit, CancellationToken cancellationToken)
    {
        var results = new List<MultiGetCandidatesResult>(users.Count);
        foreach (var chunk in users.Chunk(MaxMultiGet))
        {
            var request = new MultiGetCandidatesRequest();
            request.Requests.AddRange(chunk.Select(u => new GetCandidatesRequest
            {
                UserId = u.UserId,
                Scenario = u.Scenario,
                Limit = limit,
            }));
            var response = await client.MultiGetCandidatesAsync(
                request, deadline: DateTime.UtcNow.AddSeconds(30), cancellationToken: cancellationToken)
                .ResponseAsync.ConfigureAwait(false);
            results.AddRange(response.Results);
        }

        return results;
    }

    /// <summary>Asks again and again until the set is the one that the event made, as a caller would see it.</summary>
    /// <exception cref="TimeoutException">The set did not follow the event in time.</exception>
    public async Task<GetCandidatesResponse> GetAfterAsync(
        string userId, string scenario, int limit, string eventId, TimeSpan patience, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var response = await GetAsync(userId, scenario, limit, cancellationToken).ConfigureAwait(false);
            if (response.TriggerEventId == eventId)
            {
                return response;
            }

            if (Stopwatch.GetElapsedTime(start) > patience)
            {
                throw new TimeoutException(
                    $"user {userId}: {patience.TotalSeconds:F0} s after event {eventId} the set is still that of event '{response.TriggerEventId}' ({response.Source})");
            }

            await Task.Delay(1, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose() => channel.Dispose();
}
