using System.Runtime.CompilerServices;
using Grpc.Core;
using Grpc.Net.Client;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Client;

/// <summary>
/// Fetches candidates. One for the whole process: it is thread-safe and multiplexes its calls over few connections. Calls
/// that fail throw <see cref="RpcException"/> with the status codes of docs/api.md.
/// </summary>
public sealed class NearlineClient : IDisposable
{
    private const string DegradedTrailer = "nl-degraded";
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly GrpcChannel _channel;
    private readonly Metadata? _headers;
    private readonly TimeSpan _deadline;
    private readonly TimeProvider _time;

    /// <summary>A client; connections are made when calls need them.</summary>
    /// <param name="options">Where the api is, and how to call it.</param>
    /// <param name="time">The clock; null: the system's.</param>
    /// <exception cref="ArgumentException">A setting cannot work.</exception>
    public NearlineClient(NearlineClientOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _channel = ApiChannel.Open(options);
        _headers = options.ApiKey is { } key ? new Metadata { { "authorization", $"Bearer {key}" } } : null;
        _deadline = options.Deadline;
        _time = time ?? TimeProvider.System;
        Service = new CandidateService.CandidateServiceClient(_channel);
    }

    /// <summary>The generated client, without key and deadline: for what has no method here.</summary>
    public CandidateService.CandidateServiceClient Service { get; }

    /// <summary>One user's candidates.</summary>
    public async Task<CandidateSet> GetCandidatesAsync(CandidateQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        using var call = Service.GetCandidatesAsync(query.ToRequest(), Options(cancellationToken));
        var response = await call.ResponseAsync.ConfigureAwait(false);
        return CandidateSet.Of(response, IsDegraded(call.GetTrailers()));
    }

    /// <summary>Many users' candidates in one call: as many results as queries, in their order, a status each.</summary>
    public async Task<IReadOnlyList<CandidateResult>> MultiGetCandidatesAsync(
        IReadOnlyCollection<CandidateQuery> queries, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queries);
        var request = new MultiGetCandidatesRequest();
        request.Requests.AddRange(queries.Select(query => query.ToRequest()));
        using var call = Service.MultiGetCandidatesAsync(request, Options(cancellationToken));
        var response = await call.ResponseAsync.ConfigureAwait(false);
        var isDegraded = IsDegraded(call.GetTrailers());
        return
        [
            .. response.Results.Select(result => new CandidateResult(
                new Status((StatusCode)result.StatusCode, result.StatusMessage),
                result.Response is null ? null : CandidateSet.Of(result.Response, isDegraded))),
        ];
    }

    /// <summary>
    /// The user's candidates now, and again each time they are renewed, until cancelled. When the api or the way to it
    /// fails, it watches again by itself, so the same set may come twice.
    /// </summary>
    /// <exception cref="RpcException">The api refuses: any code but UNAVAILABLE.</exception>
    public async IAsyncEnumerable<CandidateSet> WatchCandidatesAsync(
        CandidateQuery query, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        var pause = FirstPause;
        while (true)
        {
            using (var call = Service.WatchCandidates(
                new WatchCandidatesRequest { Request = query.ToRequest() },
                new CallOptions(_headers, cancellationToken: cancellationToken)))
            {
                while (await MoveNextAsync(call.ResponseStream, cancellationToken).ConfigureAwait(false))
                {
                    pause = FirstPause;
                    yield return CandidateSet.Of(call.ResponseStream.Current.Response, isDegraded: false);
                }
            }

            // Not all at the same time: an api that comes back should not meet all its watchers at once.
            await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), _time, cancellationToken).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>Why a show is, or is not, among a user's candidates.</summary>
    public async Task<ExplainCandidateResponse> ExplainCandidateAsync(
        string userId, string scenario, string itemId, string variant = "", CancellationToken cancellationToken = default) =>
        await Service.ExplainCandidateAsync(
            new ExplainCandidateRequest { UserId = userId, Scenario = scenario, ItemId = itemId, Variant = variant },
            Options(cancellationToken)).ResponseAsync.ConfigureAwait(false);

    /// <summary>The scenarios that can be asked for; none until a worker has published a model.</summary>
    public async Task<IReadOnlyList<string>> ListScenariosAsync(CancellationToken cancellationToken = default) =>
        (await Service.ListScenariosAsync(new ListScenariosRequest(), Options(cancellationToken)).ResponseAsync.ConfigureAwait(false)).Scenarios;

    /// <summary>Cancels the calls that still run.</summary>
    public void Dispose() => _channel.Dispose();

    private static async Task<bool> MoveNextAsync(
        IAsyncStreamReader<WatchCandidatesResponse> stream, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.MoveNext(cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Cancelled && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
    }

    private static bool IsDegraded(Metadata trailers) => trailers.GetValue(DegradedTrailer) is not null;

    private CallOptions Options(CancellationToken cancellationToken) =>
        new(_headers, (_time.GetUtcNow() + _deadline).UtcDateTime, cancellationToken);
}
