using System.Threading.Channels;
using Grpc.Core;
using Grpc.Health.V1;

namespace Grpc.HealthCheck;

/// <summary>A health service that says what it was told.</summary>
public class HealthServiceImpl : Health.V1.Health.HealthBase
{
    // A slow watcher misses old changes, never the latest.
    private const int BufferedChanges = 5;

    private readonly Lock gate = new();
    private readonly Dictionary<string, HealthCheckResponse.Types.ServingStatus> statuses = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<ChannelWriter<HealthCheckResponse.Types.ServingStatus>>> watchers = new(StringComparer.Ordinal);

    public void SetStatus(string service, HealthCheckResponse.Types.ServingStatus status)
    {
        ArgumentNullException.ThrowIfNull(service);
        lock (gate)
        {
            var isChanged = StatusOf(service) != status;
            statuses[service] = status;
            if (isChanged)
            {
                Notify(service, status);
            }
        }
    }

    public void ClearStatus(string service)
    {
        ArgumentNullException.ThrowIfNull(service);
        lock (gate)
        {
            if (statuses.Remove(service))
            {
                Notify(service, HealthCheckResponse.Types.ServingStatus.ServiceUnknown);
            }
        }
    }

    public void ClearAll()
    {
        lock (gate)
        {
            var services = statuses.Keys.ToArray();
            statuses.Clear();
            foreach (var service in services)
            {
                Notify(service, HealthCheckResponse.Types.ServingStatus.ServiceUnknown);
            }
        }
    }

    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context)
    {
        lock (gate)
        {
            return statuses.TryGetValue(request.Service, out var status)
                ? Task.FromResult(new HealthCheckResponse { Status = status })
                : throw new RpcException(new Status(StatusCode.NotFound, ""));
        }
    }

    public override async Task Watch(
        HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        var changes = Channel.CreateBounded<HealthCheckResponse.Types.ServingStatus>(new BoundedChannelOptions(BufferedChanges)
        {
            SingleReader = true,
            FullMode = BoundedChannelFullMode.DropOldest,
        });
        HealthCheckResponse.Types.ServingStatus status;
        lock (gate)
        {
            status = StatusOf(request.Service);
            if (!watchers.TryGetValue(request.Service, out var list))
            {
                watchers.Add(request.Service, list = []);
            }

            list.Add(changes.Writer);
        }

        try
        {
            await responseStream.WriteAsync(new HealthCheckResponse { Status = status }).ConfigureAwait(false);
            await foreach (var changed in changes.Reader.ReadAllAsync(context.CancellationToken).ConfigureAwait(false))
            {
                // What was dropped in between may have made it the same again.
                if (changed != status)
                {
                    status = changed;
                    await responseStream.WriteAsync(new HealthCheckResponse { Status = status }).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            // The end of every watch.
        }
        finally
        {
            lock (gate)
            {
                var list = watchers[request.Service];
                list.Remove(changes.Writer);
                if (list.Count == 0)
                {
                    watchers.Remove(request.Service);
                }
            }
        }
    }

    private HealthCheckResponse.Types.ServingStatus StatusOf(string service) =>
        statuses.GetValueOrDefault(service, HealthCheckResponse.Types.ServingStatus.ServiceUnknown);

    private void Notify(string service, HealthCheckResponse.Types.ServingStatus status)
    {
        foreach (var watcher in watchers.GetValueOrDefault(service, []))
        {
            watcher.TryWrite(status);
        }
    }
}
