using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Options;
using Nearline.Api.Calls;
using Nearline.Contracts.Admin.V1;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Inspection.V1;
using GetIndexInfoRequest = Nearline.Contracts.Inspection.V1.GetIndexInfoRequest;

namespace Nearline.Api.Admin;

/// <summary>Asks a worker what only the models in memory know. Connects at the first call.</summary>
internal sealed class WorkerInspector : IDisposable
{
    /// <summary>Questions at a time: those that wait for a worker must not fill the service that candidates' callers need.</summary>
    public const int AtATime = 16;

    // Workers come and go behind one name: a connection is not kept so long that all instances sit on the oldest.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _room = new(AtATime);
    private readonly string _address;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly GrpcChannel? _channel;
    private readonly InspectionService.InspectionServiceClient? _client;

    public WorkerInspector(IOptions<ApiOptions> options, TimeProvider time)
    {
        (_address, _timeout, _time) = (options.Value.WorkerAddress, options.Value.WorkerTimeout, time);
        if (_address.Length > 0)
        {
            _channel = GrpcChannel.ForAddress(_address, new GrpcChannelOptions
            {
                HttpHandler = new SocketsHttpHandler { ConnectTimeout = _timeout, PooledConnectionLifetime = ConnectionLifetime },
                DisposeHttpClient = true,
            });
            _client = new InspectionService.InspectionServiceClient(_channel);
        }
    }

    /// <summary>The models in use and their indexes.</summary>
    /// <param name="deadline">The caller's, UTC.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="WorkerTroubleException">No worker could be asked.</exception>
    public async Task<IReadOnlyList<ServedIndex>> IndexesAsync(DateTime deadline, CancellationToken cancellationToken)
    {
        var answer = await AskAsync(
            (client, options) => client.GetIndexInfoAsync(new GetIndexInfoRequest(), options), deadline, cancellationToken);
        return answer.Indexes;
    }

    /// <summary>What would become of the show if the user's set were made now.</summary>
    /// <inheritdoc cref="IndexesAsync"/>
    public async Task<ShowExplanation> ExplainAsync(ExplainCandidateRequest request, DateTime deadline, CancellationToken cancellationToken)
    {
        var asked = new ExplainShowRequest
        {
            UserId = request.UserId,
            Scenario = request.Scenario,
            Variant = request.Variant,
            ItemId = request.ItemId,
        };
        return (await AskAsync((client, options) => client.ExplainShowAsync(asked, options), deadline, cancellationToken)).Explanation;
    }

    public void Dispose()
    {
        _channel?.Dispose();
        _room.Dispose();
    }

    private async Task<T> AskAsync<T>(
        Func<InspectionService.InspectionServiceClient, CallOptions, AsyncUnaryCall<T>> call, DateTime deadline, CancellationToken cancellationToken)
    {
        if (_client is null)
        {
            throw new WorkerTroubleException(
                StatusCode.FailedPrecondition, "Api:WorkerAddress is not set; it must be a worker's inspection address, such as http://127.0.0.1:5002");
        }

        if (!_room.Wait(0, CancellationToken.None))
        {
            throw new WorkerTroubleException(
                StatusCode.ResourceExhausted, $"{AtATime} questions wait for the worker already; try again with backoff");
        }

        var latest = _time.GetUtcNow().UtcDateTime + _timeout;
        try
        {
            using var running = call(_client, new CallOptions(deadline: deadline < latest ? deadline : latest, cancellationToken: cancellationToken));
            return await running.ResponseAsync;
        }
        catch (RpcException e)
        {
            // The caller's own end is told by who calls us.
            cancellationToken.ThrowIfCancellationRequested();
            throw Trouble(e);
        }
        finally
        {
            _room.Release();
        }
    }

    private WorkerTroubleException Trouble(RpcException e) => e.StatusCode switch
    {
        StatusCode.DeadlineExceeded or StatusCode.Cancelled => new WorkerTroubleException(
            StatusCode.Unavailable,
            string.Create(CultureInfo.InvariantCulture, $"the worker at {_address} did not answer in time; Api:WorkerTimeout is {_timeout.TotalSeconds:0.###} s"),
            e),
        StatusCode.Unavailable when e.Status.DebugException is not null => new WorkerTroubleException(
            StatusCode.Unavailable, $"the worker at {_address} (Api:WorkerAddress) cannot be reached", e),
        StatusCode.Unimplemented => new WorkerTroubleException(
            StatusCode.FailedPrecondition, $"what answers at {_address} (Api:WorkerAddress) is no worker's inspection port", e),
        var code => new WorkerTroubleException(code, $"the worker at {_address} answers {StatusNames.Of(code)}: {e.Status.Detail}", e),
    };
}
