using Grpc.Core;
using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Grpc.AspNetCore.HealthChecks;

/// <summary>The health service of an application: checks run when asked, watches follow what is published.</summary>
internal sealed class HealthServiceIntegration(
    HealthServiceImpl published,
    IOptions<GrpcHealthChecksOptions> options,
    HealthCheckService checks,
    IHostApplicationLifetime lifetime) : Health.V1.Health.HealthBase
{
    public override async Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context)
    {
        if (options.Value.UseHealthChecksCache)
        {
            return await published.Check(request, context);
        }

        var status = await RunAsync(request.Service, context.CancellationToken);
        return status == HealthCheckResponse.Types.ServingStatus.ServiceUnknown
            ? throw new RpcException(new Status(StatusCode.NotFound, "Service not found."))
            : new HealthCheckResponse { Status = status };
    }

    public override async Task Watch(
        HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        if (!options.Value.UseHealthChecksCache)
        {
            responseStream = new LiveFirstWriter(responseStream, () => RunAsync(request.Service, context.CancellationToken));
        }

        if (options.Value.SuppressCompletionOnShutdown)
        {
            await published.Watch(request, responseStream, context);
            return;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        await published.Watch(request, responseStream, new WatchContext(context, ending.Token));
        if (!context.CancellationToken.IsCancellationRequested)
        {
            await responseStream.WriteAsync(
                new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.NotServing });
        }
    }

    private async Task<HealthCheckResponse.Types.ServingStatus> RunAsync(string service, CancellationToken cancellationToken)
    {
        if (!options.Value.Services.TryGet(service, out var mapping))
        {
            return HealthCheckResponse.Types.ServingStatus.ServiceUnknown;
        }

        var report = await checks.CheckHealthAsync(
            registration => mapping.HealthCheckPredicate?.Invoke(new HealthCheckMapContext(registration.Name, registration.Tags)) ?? true,
            cancellationToken);
        return MappedStatus.Of(mapping, report.Entries);
    }

    /// <summary>Lets a watch begin with what the checks say now, for nothing may have been published yet.</summary>
    private sealed class LiveFirstWriter(
        IServerStreamWriter<HealthCheckResponse> inner, Func<Task<HealthCheckResponse.Types.ServingStatus>> live)
        : IServerStreamWriter<HealthCheckResponse>
    {
        private HealthCheckResponse.Types.ServingStatus? last;

        public WriteOptions? WriteOptions
        {
            get => inner.WriteOptions;
            set => inner.WriteOptions = value;
        }

        public async Task WriteAsync(HealthCheckResponse message)
        {
            if (last is null)
            {
                message = new HealthCheckResponse { Status = await live() };
            }
            else if (message.Status == last)
            {
                return;
            }

            last = message.Status;
            await inner.WriteAsync(message);
        }
    }
}
