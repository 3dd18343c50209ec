using System.Collections.Concurrent;
using System.Diagnostics;
using Confluent.Kafka;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Events.V1;
using StackExchange.Redis;

namespace Nearline.Bench.Worker;

/// <summary>
/// Publishes watches of users in turn, and hears on Redis when their sets are renewed: the time between is event to
/// servable, as producer and ranking stage see it.
/// </summary>
internal sealed class Traffic : IDisposable
{
    /// <summary>Everybody watches on in a few series: with new shows each time histories, and the work for each, would grow.</summary>
    private const int ShowsOfUser = 4;

    private readonly IReadOnlyList<string> users;
    private readonly IReadOnlyList<string> shows;
    private readonly IProducer<string, byte[]> producer;
    private readonly Random random = new(1);
    private readonly Headers padding = new() { { "padding", new byte[2000] } };
    private readonly ConcurrentDictionary<string, long> sent = new(StringComparer.Ordinal);
    private ConcurrentBag<double> latencies = [];
    private long published;
    private int turn;

    public Traffic(string kafka, ISubscriber subscriber, IReadOnlyList<string> users, IReadOnlyList<string> shows)
    {
        (this.users, this.shows) = (users, shows);
        producer = new ProducerBuilder<string, byte[]>(new ProducerConfig
        {
            BootstrapServers = kafka,
            Acks = Acks.All,
            EnableIdempotence = true,
            LingerMs = 1,
            QueueBufferingMaxMessages = 1_000_000,
        }).SetLogHandler((_, _) => { }).Build();
        var every = new RedisChannel(RedisKeys.Renewed("*").Replace("{*}", "*", StringComparison.Ordinal), RedisChannel.PatternMode.Pattern);
        subscriber.Subscribe(every, (channel, _) => Renewed(channel.ToString()));
    }

    /// <summary>Events published so far.</summary>
    public long Published => Interlocked.Read(ref published);

    /// <summary>Latencies since the last call, in ms, ascending.</summary>
    public double[] TakeLatencies() => [.. Interlocked.Exchange(ref latencies, []).Order()];

    /// <summary>The next user watches something for half an hour.</summary>
    /// <param name="isPadded">
    /// Whether the record is large. The mock keeps 5 MB of a partition and goes through all of it at each fetch: of small
    /// records that came one by one these are so many that it keeps a core busy, which a broker would not.
    /// </param>
    public void Publish(bool isPadded = false)
    {
        var number = turn++ % users.Count;
        var user = users[number];
        var now = DateTimeOffset.UtcNow;
        var message = new UserEvent
        {
            UserId = user,
            EventId = $"bench-{turn}",
            EventTime = now.ToTimestamp(),
            Watch = new Watch
            {
                ShowId = shows[((number * ShowsOfUser) + random.Next(ShowsOfUser)) % shows.Count],
                Played = TimeSpan.FromMinutes(30).ToDuration(),
                Length = TimeSpan.FromMinutes(60).ToDuration(),
            },
        };

        // Where one of the user's waits already, both count as one, from the first on.
        sent.TryAdd(user, Stopwatch.GetTimestamp());
        Interlocked.Increment(ref published);
        producer.Produce(
            KafkaTopics.UserEvents,
            new Message<string, byte[]> { Key = user, Value = message.ToByteArray(), Headers = isPadded ? padding : null },
            report =>
            {
                if (report.Error.IsError)
                {
                    throw new KafkaException(report.Error);
                }
            });
    }

    public void Dispose() => producer.Dispose();

    private void Renewed(string channel)
    {
        // nl:{user}:renewed
        var user = channel[(channel.IndexOf('{', StringComparison.Ordinal) + 1)..channel.IndexOf('}', StringComparison.Ordinal)];
        if (sent.TryRemove(user, out var at))
        {
            latencies.Add(Stopwatch.GetElapsedTime(at).TotalMilliseconds);
        }
    }
}
