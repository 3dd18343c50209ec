using Google.Protobuf;
using Microsoft.Extensions.Options;
using Nearline.Api.Telemetry;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using StackExchange.Redis;

namespace Nearline.Api.Fallbacks;

/// <summary>
/// Reads the scenario directory and the fallback lists again and again. What is in memory outlives both an unreachable
/// and an emptied Redis: that is when it is needed.
/// </summary>
internal sealed partial class FallbackLoader(
    IConnectionMultiplexer redis,
    FallbackLists lists,
    IOptions<ApiOptions> options,
    ApiMetrics metrics,
    TimeProvider time,
    ILogger<FallbackLoader> logger) : BackgroundService
{
    // Nobody waits for these reads, so they may take longer than a caller's.
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(2);

    // Until there is a list the service is not ready, so it looks more often.
    private static readonly TimeSpan FirstPeriod = TimeSpan.FromMilliseconds(500);

    private bool _failing;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.FallbackRefresh, time);
        try
        {
            do
            {
                await RefreshAsync(stoppingToken);
                timer.Period = lists.Current.Scenarios.Count > 0 || options.Value.FallbackRefresh < FirstPeriod
                    ? options.Value.FallbackRefresh
                    : FirstPeriod;
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        try
        {
            lists.Current = await ReadAsync(lists.Current, cancellationToken);
            if (_failing)
            {
                _failing = false;
                LogRecovered();
            }
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // Said once, not every few seconds.
            if (!_failing)
            {
                _failing = true;
                LogFailing(e.Message, lists.Current.ListCount);
            }
        }
    }

    private async Task<FallbackSnapshot> ReadAsync(FallbackSnapshot before, CancellationToken cancellationToken)
    {
        var database = redis.GetDatabase();
        var head = await Task.WhenAll(
                database.StringGetAsync(RedisKeys.Scenarios), database.StringGetAsync(RedisKeys.Popular))
            .WaitAsync(ReadTimeout, time, cancellationToken);
        var directory = ReadDirectory(head[0]);
        if (directory is null)
        {
            return before.Loaded ? before : new FallbackSnapshot("", [], new Dictionary<string, FallbackList>(StringComparer.Ordinal), null);
        }

        var stored = await Task.WhenAll(
                directory.Scenarios.Select(scenario => database.StringGetAsync(RedisKeys.PopularIn(scenario))))
            .WaitAsync(ReadTimeout, time, cancellationToken);
        var found = new Dictionary<string, FallbackList>(StringComparer.Ordinal);
        for (var i = 0; i < stored.Length; i++)
        {
            var scenario = directory.Scenarios[i];
            if (ReadList(RedisKeys.PopularIn(scenario), stored[i], before.In(scenario)) is { } list)
            {
                found[scenario] = list;
            }
        }

        return new FallbackSnapshot(
            directory.ModelVersion,
            directory.Scenarios,
            found,
            ReadList(RedisKeys.Popular, head[1], before.Everywhere));
    }

    private ScenarioDirectory? ReadDirectory(byte[]? stored)
    {
        if (stored is null)
        {
            return null;
        }

        try
        {
            var directory = ScenarioDirectory.Parser.ParseFrom(stored);
            return StorageSchema.IsReadable(directory.Schema)
                ? directory
                : throw new InvalidDataException(StorageSchema.Refusal(directory.Schema));
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidDataException)
        {
            metrics.Unreadable("directory");
            LogUnreadable(RedisKeys.Scenarios, e.Message);
            return null;
        }
    }

    private FallbackList? ReadList(string key, byte[]? stored, FallbackList? before)
    {
        if (stored is null || before?.IsStoredAs(stored) == true)
        {
            return stored is null ? null : before;
        }

        try
        {
            return FallbackList.Read(stored);
        }
        catch (InvalidDataException e)
        {
            metrics.Unreadable("fallback_list");
            LogUnreadable(key, e.Message);
            return before;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Fallback lists cannot be read from Redis ({Error}); {Lists} in memory go on being served")]
    private partial void LogFailing(string error, int lists);

    [LoggerMessage(Level = LogLevel.Information, Message = "Fallback lists are read from Redis again")]
    private partial void LogRecovered();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The value of {Key} in Redis cannot be decoded and is passed over: {Error}")]
    private partial void LogUnreadable(string key, string error);
}
