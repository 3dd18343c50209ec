using System.Runtime.InteropServices;
using Microsoft.Extensions.Options;
using Nearline.Api.Refreshing;
using Nearline.Api.Telemetry;
using Nearline.Contracts;
using StackExchange.Redis;

namespace Nearline.Api.Storage;

/// <summary>
/// What Redis had of users that are asked for again and again. An entry is served for <see cref="ApiOptions.CacheTtl"/>
/// from before it was read, never longer: that is the most by which a renewed set or a watched show can come late. It
/// goes earlier when the user's renewal is announced; all go when announcements may have been missed.
/// </summary>
/// <remarks>
/// A user is kept from the second call within that time on: a walk over all users leaves nothing behind. Entries lie in a
/// table of fixed size, where one pushes out another of its place.
/// </remarks>
internal sealed class StoredUserCache : IDisposable
{
    private const int RenewalPlaces = 1 << 16;

    private static readonly RedisChannel Renewals = new(RedisKeys.Renewed("*"), RedisChannel.PatternMode.Pattern);

    private readonly IConnectionMultiplexer _redis;
    private readonly ApiMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly long _ttl;
    private readonly Entry?[] _entries;
    private readonly DebounceTable _seen;

    // How often users of a place were renewed: an entry of before the last time is as good as gone.
    private readonly int[] _renewals;
    private int _cleared;

    public StoredUserCache(IConnectionMultiplexer redis, IOptions<ApiOptions> options, ApiMetrics metrics, TimeProvider time)
    {
        _redis = redis;
        _metrics = metrics;
        _time = time;
        _ttl = (long)(options.Value.CacheTtl.TotalSeconds * time.TimestampFrequency);
        _entries = new Entry?[IsOn ? options.Value.CacheEntries : 0];
        _renewals = new int[IsOn ? RenewalPlaces : 0];
        _seen = new DebounceTable(options.Value.CacheTtl, time, IsOn ? RenewalPlaces : 1);
        if (IsOn)
        {
            redis.ConnectionFailed += OnConnectionChanged;
            redis.ConnectionRestored += OnConnectionChanged;
            Listening = ListenAsync();
        }
    }

    /// <summary>Whether anything is kept at all.</summary>
    public bool IsOn => _ttl > 0;

    /// <summary>Ends when announcements are being heard, or cannot be yet.</summary>
    public Task Listening { get; } = Task.CompletedTask;

    /// <summary>What is kept of the user for that scenario and variant.</summary>
    public bool TryGet(string userId, string scenario, string variant, out StoredUser stored)
    {
        stored = default;
        if (!IsOn)
        {
            return false;
        }

        var user = StableHash.Of(userId);
        var entry = Volatile.Read(ref _entries[Place(user, scenario, variant)]);
        var found = entry is not null && entry.IsOf(userId, scenario, variant)
            && _time.GetTimestamp() - entry.Ticket.Began < _ttl
            && entry.Ticket.Renewals == RenewalsOf(user) && entry.Ticket.Cleared == Volatile.Read(ref _cleared);
        _metrics.Cache(found);
        stored = found ? entry!.Stored : default;
        return found;
    }

    /// <summary>Says that the user is about to be read; hand the result to <see cref="Put"/>.</summary>
    public Ticket Begin(string userId) =>
        IsOn ? new Ticket(_time.GetTimestamp(), RenewalsOf(StableHash.Of(userId)), Volatile.Read(ref _cleared)) : default;

    /// <summary>Keeps what was read, unless it was the first call for the user in a while.</summary>
    public void Put(Ticket ticket, string userId, string scenario, string variant, StoredUser stored)
    {
        if (IsOn && !_seen.TryPass(userId))
        {
            Volatile.Write(
                ref _entries[Place(StableHash.Of(userId), scenario, variant)],
                new Entry(ticket, userId, scenario, variant, stored));
        }
    }

    /// <summary>Forgets the user.</summary>
    public void Remove(string userId)
    {
        if (IsOn)
        {
            Interlocked.Increment(ref _renewals[StableHash.Of(userId) % RenewalPlaces]);
        }
    }

    /// <summary>Forgets all users.</summary>
    public void Clear() => Interlocked.Increment(ref _cleared);

    public void Dispose()
    {
        _redis.ConnectionFailed -= OnConnectionChanged;
        _redis.ConnectionRestored -= OnConnectionChanged;
    }

    private int RenewalsOf(ulong user) => Volatile.Read(ref _renewals[user % RenewalPlaces]);

    private int Place(ulong user, string scenario, string variant)
    {
        var hash = user ^ StableHash.Of(scenario);
        return (int)((variant.Length == 0 ? hash : hash ^ ulong.RotateLeft(StableHash.Of(variant), 1)) % (ulong)_entries.Length);
    }

    private async Task ListenAsync()
    {
        try
        {
            await _redis.GetSubscriber().SubscribeAsync(Renewals, (channel, _) => OnRenewed(channel));
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // The client library subscribes once it is connected; until then the time limit alone holds.
        }
    }

    private void OnRenewed(string? channel)
    {
        if (channel is not null && RedisKeys.UserOfRenewal(channel) is { } user)
        {
            Remove(user);
        }
    }

    // What was announced while a connection was away is lost.
    private void OnConnectionChanged(object? sender, ConnectionFailedEventArgs e) => Clear();

    /// <summary>A read: when it began, and how often the user had been renewed and all had been forgotten by then.</summary>
    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct Ticket(long Began, int Renewals, int Cleared);

    private sealed class Entry(Ticket ticket, string userId, string scenario, string variant, StoredUser stored)
    {
        public Ticket Ticket { get; } = ticket;

        public StoredUser Stored { get; } = stored;

        public bool IsOf(string otherUser, string otherScenario, string otherVariant) =>
            string.Equals(userId, otherUser, StringComparison.Ordinal)
            && string.Equals(scenario, otherScenario, StringComparison.Ordinal)
            && string.Equals(variant, otherVariant, StringComparison.Ordinal);
    }
}
