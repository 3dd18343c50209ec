using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Channels;
using Confluent.Kafka;
using Google.Protobuf;
using Microsoft.Extensions.Options;
using Nearline.Api.Telemetry;
using Nearline.Contracts;
using Nearline.Contracts.Refresh.V1;

namespace Nearline.Api.Refreshing;

/// <summary>
/// Asks the worker, over Kafka, to rebuild a user's sets. Answers never wait for it: requests are debounced per user,
/// queued, and dropped with a count when Kafka is absent, slow or down.
/// </summary>
internal sealed partial class RefreshRequester(
    IOptions<KafkaOptions> kafka,
    IOptions<ApiOptions> options,
    ApiMetrics metrics,
    TimeProvider time,
    ILogger<RefreshRequester> logger) : BackgroundService
{
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(2);

    private readonly DebounceTable _debounce = new(options.Value.RefreshDebounce, time);
    private readonly Channel<Item> _queue =
        Channel.CreateBounded<Item>(new BoundedChannelOptions(options.Value.RefreshQueue) { SingleReader = true });

    private bool HasKafka => kafka.Value.BootstrapServers.Length > 0;

    /// <summary>Asks for a rebuild; returns at once.</summary>
    public void Request(string userId, RefreshReason reason)
    {
        if (!HasKafka)
        {
            metrics.Refresh(reason, "dropped_no_kafka");
        }
        else if (!_debounce.TryPass(userId))
        {
            metrics.Refresh(reason, "debounced");
        }
        else if (!_queue.Writer.TryWrite(new Item(userId, reason, time.GetUtcNow(), Activity.Current?.Id)))
        {
            metrics.Refresh(reason, "dropped_queue_full");
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!HasKafka)
        {
            LogNoKafka();
            return;
        }

        // Loading librdkafka takes a moment that start-up need not wait for.
        await Task.Yield();
        using var producer = new ProducerBuilder<string, byte[]>(kafka.Value.ToProducerConfig())
            .SetErrorHandler((_, error) => LogKafkaError(error.Reason))
            .SetLogHandler((_, _) => { })
            .Build();
        try
        {
            await foreach (var item in _queue.Reader.ReadAllAsync(stoppingToken))
            {
                Send(producer, item);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            while (_queue.Reader.TryRead(out var item))
            {
                Send(producer, item);
            }

            producer.Flush(FlushTimeout);
        }
    }

    private void Send(IProducer<string, byte[]> producer, Item item)
    {
        var request = new RefreshRequest
        {
            UserId = item.UserId,
            Reason = item.Reason,
            RequestedAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(item.At),
        };
        var message = new Message<string, byte[]> { Key = item.UserId, Value = request.ToByteArray() };
        if (item.TraceParent is { } parent)
        {
            message.Headers = new Headers { { KafkaHeaders.TraceParent, Encoding.ASCII.GetBytes(parent) } };
        }

        try
        {
            producer.Produce(kafka.Value.RefreshTopic, message, report =>
                metrics.Refresh(item.Reason, report.Error.IsError ? "dropped_undelivered" : "sent"));
        }
        catch (ProduceException<string, byte[]> e)
        {
            metrics.Refresh(item.Reason, e.Error.Code == ErrorCode.Local_QueueFull ? "dropped_queue_full" : "dropped_undelivered");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Kafka:BootstrapServers is empty: refresh requests are dropped and counted")]
    private partial void LogNoKafka();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Kafka: {Reason}")]
    private partial void LogKafkaError(string reason);

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Item(string UserId, RefreshReason Reason, DateTimeOffset At, string? TraceParent);
}
