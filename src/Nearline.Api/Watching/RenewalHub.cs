using Microsoft.Extensions.Options;
using Nearline.Api.Telemetry;
using StackExchange.Redis;

namespace Nearline.Api.Watching;

/// <summary>
/// Tells listeners when a user's sets are renewed: one Redis subscription a user, however many listen, and none when
/// nobody does.
/// </summary>
internal sealed class RenewalHub : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, UserChannel> _channels = new(StringComparer.Ordinal);
    private readonly IConnectionMultiplexer _redis;
    private readonly TimeSpan _resync;
    private readonly TimeProvider _time;

    public RenewalHub(IConnectionMultiplexer redis, IOptions<ApiOptions> options, ApiMetrics metrics, TimeProvider time)
    {
        _redis = redis;
        _resync = options.Value.WatchResync;
        _time = time;
        redis.ConnectionRestored += OnConnectionRestored;
        metrics.ObserveSubscriptions(() => Subscriptions);
    }

    /// <summary>How many users are subscribed to.</summary>
    public int Subscriptions
    {
        get
        {
            lock (_lock)
            {
                return _channels.Count;
            }
        }
    }

    /// <summary>Listens until the result is disposed.</summary>
    public RenewalListener Listen(string userId)
    {
        lock (_lock)
        {
            if (!_channels.TryGetValue(userId, out var channel))
            {
                // Subscribing only queues a command, so it may happen under the lock, which keeps the order of
                // subscribing and unsubscribing right.
                channel = new UserChannel(userId);
                channel.Subscribe(_redis.GetSubscriber());
                _channels.Add(userId, channel);
            }

            var listener = new RenewalListener(_resync, _time, channel.Subscribed, left => Leave(channel, left));
            channel.Listeners = [.. channel.Listeners, listener];
            return listener;
        }
    }

    public void Dispose() => _redis.ConnectionRestored -= OnConnectionRestored;

    private void Leave(UserChannel channel, RenewalListener listener)
    {
        lock (_lock)
        {
            channel.Listeners = channel.Listeners.Remove(listener);
            if (channel.Listeners.IsEmpty && _channels.Remove(channel.UserId))
            {
                channel.Unsubscribe(_redis.GetSubscriber());
            }
        }
    }

    // What was published while the connection was away is lost: everybody looks again.
    private void OnConnectionRestored(object? sender, ConnectionFailedEventArgs e)
    {
        lock (_lock)
        {
            foreach (var channel in _channels.Values)
            {
                channel.Signal();
            }
        }
    }
}
