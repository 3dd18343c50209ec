using Confluent.Kafka;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Nearline.Publishing;

namespace Nearline.Api.Admin;

/// <summary>An operator's requests about a user, over Kafka; answered when Kafka has them.</summary>
internal sealed class UserAdministration : IDisposable
{
    private readonly UserRequests? _requests;

    public UserAdministration(IOptions<KafkaOptions> kafka, IOptions<ApiOptions> options, TimeProvider time)
    {
        var settings = kafka.Value;
        _requests = settings.BootstrapServers.Length == 0
            ? null
            : new UserRequests(
                settings.ToOperatorConfig(options.Value.KafkaTimeout), "nearline-api", settings.RefreshTopic, settings.UserEventsTopic, time);
    }

    /// <exception cref="RpcException">FAILED_PRECONDITION: there is no Kafka. UNAVAILABLE: it did not take the request.</exception>
    public Task<DateTimeOffset> RefreshAsync(string userId, CancellationToken cancellationToken) =>
        SendAsync(requests => requests.RefreshAsync(userId, cancellationToken), cancellationToken);

    /// <inheritdoc cref="RefreshAsync"/>
    public Task<DateTimeOffset> DeleteAsync(string userId, CancellationToken cancellationToken) =>
        SendAsync(requests => requests.DeleteAsync(userId, cancellationToken), cancellationToken);

    public void Dispose() => _requests?.Dispose();

    private async Task<DateTimeOffset> SendAsync(Func<UserRequests, Task<DateTimeOffset>> send, CancellationToken cancellationToken)
    {
        if (_requests is null)
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition, "Kafka:BootstrapServers is not set; it must be the Kafka that the workers read, host:port,host:port"));
        }

        try
        {
            // Loading librdkafka and its first connection take a moment that is not the caller's thread's.
            return await Task.Run(() => send(_requests), cancellationToken);
        }
        catch (KafkaException e)
        {
            throw new RpcException(new Status(
                StatusCode.Unavailable, $"Kafka did not take the request ({e.Error.Reason}), which may still arrive; try again with backoff", e));
        }
    }
}
