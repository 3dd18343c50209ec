using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Nearline.Contracts.Catalog.V1;
using Nearline.Worker.Catalog;
using Nearline.Worker.Models;
using Nearline.Worker.Options;
using Nearline.Worker.Telemetry;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Catalog;

/// <summary>A catalog topic that is missing, or brokers that are: said once, tried again, nothing torn down.</summary>
public sealed class CatalogTroubleTests
{
    private const string Topic = "nearline.catalog.v1";

    private static readonly TopicMetadata There = new(
        Topic, [new PartitionMetadata(0, 1, [1], [1], new Error(ErrorCode.NoError))], new Error(ErrorCode.NoError));

    [Fact]
    public async Task A_missing_topic_is_named_once_and_followed_when_it_is_there()
    {
        var answers = new Queue<Func<TopicMetadata?>>();
        for (var i = 0; i < 3; i++)
        {
            answers.Enqueue(() => throw new KafkaException(new Error(ErrorCode.Local_TimedOut, "no broker answers")));
        }

        for (var i = 0; i < 3; i++)
        {
            answers.Enqueue(() => new TopicMetadata(Topic, [], new Error(ErrorCode.UnknownTopicOrPart, "no such topic")));
        }

        answers.Enqueue(() => null);
        var topic = new FakeTopic(() => answers.TryDequeue(out var answer) ? answer() : There, [Upsert(0, "new")]);
        await using var running = new Running(() => topic);
        await Eventually.TrueAsync(() => running.Model.Catalog.ContainsKey("new"), "the topic is read once it is there");
        Assert.Equal(
            [
                $"Warning: catalog: topic {Topic} is not to be had: Local_TimedOut, no broker answers; it is looked for again every 2 s",
                $"Warning: catalog: topic {Topic} is not to be had: UnknownTopicOrPart, no such topic; it is looked for again every 2 s",
            ],
            running.Lines.Where(l => l.StartsWith("Warning", StringComparison.Ordinal)));
        Assert.Single(running.Lines, $"Information: catalog: topic {Topic} is followed, 1 partitions");
        Assert.Equal([new TopicPartitionOffset(Topic, 0, Offset.Beginning)], Assert.Single(topic.Assigned));
        Assert.False(running.Follower.ExecuteTask!.IsCompleted);
    }

    [Fact]
    public async Task Brokers_that_go_away_change_nothing_of_what_is_followed()
    {
        var isThere = true;
        var topic = new FakeTopic(
            () => isThere ? There : throw new KafkaException(new Error(ErrorCode.Local_Transport, "gone")), [Upsert(0, "before")]);
        await using var running = new Running(() => topic);
        await Eventually.TrueAsync(() => running.Model.Catalog.ContainsKey("before"), "the first record is read");
        isThere = false;
        var described = topic.Described;
        await Eventually.TrueAsync(() => topic.Described > described + 3, "the topic is looked for again and again");
        topic.Add(Upsert(1, "after"));
        await Eventually.TrueAsync(() => running.Model.Catalog.ContainsKey("after"), "what comes is read");
        Assert.Single(running.Lines, l => l.StartsWith("Warning", StringComparison.Ordinal));
        Assert.Single(topic.Assigned);
        Assert.False(topic.IsDisposed);
    }

    [Fact]
    public async Task A_consumer_that_breaks_is_made_anew_and_goes_on_where_it_was()
    {
        var fatal = new KafkaException(new Error(ErrorCode.Local_Fatal, "broken", isFatal: true));
        var first = new FakeTopic(() => There, [Upsert(0, "one"), Upsert(1, "two")]) { AtEnd = fatal };
        var second = new FakeTopic(() => There, [Upsert(2, "three")]);
        var topics = new Queue<FakeTopic>([first, second]);
        await using var running = new Running(topics.Dequeue);
        await Eventually.TrueAsync(() => running.Model.Catalog.Count == 3, "all records are read");
        Assert.True(first.IsDisposed);
        Assert.Equal([new TopicPartitionOffset(Topic, 0, 2)], Assert.Single(second.Assigned));
        Assert.Single(running.Lines, "Error: catalog: following it failed, and is begun again: broken");
    }

    [Fact]
    public async Task A_change_that_the_model_fails_on_does_not_end_the_worker()
    {
        var model = new FakeRetriever("v1")
        {
            OnApply = changes => _ = changes.Any(c => c.ShowId == "bad") ? throw new InvalidOperationException("cannot embed") : 0,
        };
        var topics = new Queue<FakeTopic>([new FakeTopic(() => There, [Upsert(0, "bad")]), new FakeTopic(() => There, [Upsert(1, "good")])]);
        await using var running = new Running(topics.Dequeue, model);
        await Eventually.TrueAsync(() => model.Catalog.ContainsKey("good"), "later changes are taken in");
        Assert.Single(running.Lines, "Error: catalog: following it failed, and is begun again: cannot embed");
        Assert.False(running.Follower.ExecuteTask!.IsCompleted);
    }

    private static ConsumeResult<byte[]?, byte[]?> Upsert(int offset, string id) => new()
    {
        Topic = Topic,
        Partition = 0,
        Offset = offset,
        Message = new Message<byte[]?, byte[]?>
        {
            Key = Encoding.UTF8.GetBytes(id),
            Value = new Show { ShowId = id, Title = id, Category = ShowCategory.Movie }.ToByteArray(),
            Headers = [],
        },
    };

    /// <summary>Says what it is told to say.</summary>
    private sealed class FakeTopic(Func<TopicMetadata?> describe, IEnumerable<ConsumeResult<byte[]?, byte[]?>> records) : ICatalogTopic
    {
        private readonly BlockingCollection<ConsumeResult<byte[]?, byte[]?>> records = new(new ConcurrentQueue<ConsumeResult<byte[]?, byte[]?>>(records));
        private volatile int described;

        public int Described => described;

        public ConcurrentQueue<IReadOnlyList<TopicPartitionOffset>> Assigned { get; } = [];

        public bool IsDisposed { get; private set; }

        public KafkaException? AtEnd { get; init; }

        public void Add(ConsumeResult<byte[]?, byte[]?> record) => records.Add(record);

        public TopicMetadata? Describe()
        {
            described++;
            return describe();
        }

        public void Assign(IEnumerable<TopicPartitionOffset> partitions) => Assigned.Enqueue([.. partitions]);

        public ConsumeResult<byte[]?, byte[]?>? Consume(TimeSpan timeout) =>
            records.TryTake(out var record, AtEnd is null ? TimeSpan.FromMilliseconds(1) : TimeSpan.Zero) ? record
            : AtEnd is { } error ? throw error
            : null;

        public void Dispose()
        {
            IsDisposed = true;
            records.Dispose();
        }
    }

    /// <summary>A follower with a model, on a clock that leaps at every look.</summary>
    private sealed class Running : IAsyncDisposable
    {
        private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        private readonly ModelHost host = new();
        private readonly WorkerMetrics metrics;

        public Running(Func<ICatalogTopic> open, FakeRetriever? model = null)
        {
            Model = model ?? new FakeRetriever("v1");
            metrics = new WorkerMetrics(services.GetRequiredService<IMeterFactory>());
            host.SwapAsync(Model, CancellationToken.None).GetAwaiter().GetResult();
            Follower = new CatalogFollower(
                host, open, metrics, Microsoft.Extensions.Options.Options.Create(new KafkaOptions { CatalogTopic = Topic }), new LeapingClock(), new Recorder(Lines));
            Follower.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
        }

        public FakeRetriever Model { get; }

        public CatalogFollower Follower { get; }

        public ConcurrentQueue<string> Lines { get; } = [];

        public async ValueTask DisposeAsync()
        {
            await Follower.StopAsync(CancellationToken.None);
            Follower.Dispose();
            host.Dispose();
            metrics.Dispose();
            await services.DisposeAsync();
        }
    }

    private sealed class LeapingClock : TimeProvider
    {
        private long now;

        public override long GetTimestamp() => Interlocked.Add(ref now, 40 * TimestampFrequency);
    }

    private sealed class Recorder(ConcurrentQueue<string> lines) : ILogger<CatalogFollower>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
    }
}
