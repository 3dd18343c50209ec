using System.Collections.Immutable;
using Nearline.Contracts;
using StackExchange.Redis;

namespace Nearline.Api.Watching;

/// <summary>One user's subscription in Redis. The hub's lock guards all but <see cref="Signal"/>.</summary>
internal sealed class UserChannel
{
    private readonly RedisChannel _name;
    private readonly Action<RedisChannel, RedisValue> _handler;
    private ImmutableList<RenewalListener> _listeners = [];

    public UserChannel(string userId)
    {
        UserId = userId;
        _name = new RedisChannel(RedisKeys.Renewed(userId), RedisChannel.PatternMode.Literal);
        _handler = (_, _) => Signal();
    }

    public string UserId { get; }

    public ImmutableList<RenewalListener> Listeners
    {
        get => Volatile.Read(ref _listeners);
        set => Volatile.Write(ref _listeners, value);
    }

    /// <summary>Ends when Redis has taken the subscription.</summary>
    public Task Subscribed { get; private set; } = Task.CompletedTask;

    public void Subscribe(ISubscriber subscriber)
    {
        Subscribed = subscriber.SubscribeAsync(_name, _handler);
        Observe(Subscribed);
    }

    public void Unsubscribe(ISubscriber subscriber) => Observe(subscriber.UnsubscribeAsync(_name, _handler));

    /// <summary>Wakes every listener; called by Redis's reader, so it must not wait.</summary>
    public void Signal()
    {
        foreach (var listener in Listeners)
        {
            listener.Signal();
        }
    }

    private static void Observe(Task task) =>
        _ = task.ContinueWith(
            static failed => _ = failed.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted,
            TaskScheduler.Default);
}
