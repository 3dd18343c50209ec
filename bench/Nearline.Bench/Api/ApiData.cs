using System.Buffers.Binary;
using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Storage.V1;
using StackExchange.Redis;

namespace Nearline.Bench.Api;

/// <summary>
/// Users with sets of one scenario and watched shows, ids as in the simulated world. Some have watched a few shows of
/// their set since it was made.
/// </summary>
internal sealed class ApiData(int users, int items, int shows)
{
    private const string Scenario = "home";
    private const string ModelVersion = "m5-2026-11-22T06-00-00";
    private const int Watched = 40;
    private const int WatchedSince = 3;
    private const int WatchedSinceEvery = 10;
    private const int Chunk = 250;

    private readonly Random _random = new(1);
    private readonly DateTimeOffset _made = DateTimeOffset.UtcNow - TimeSpan.FromMinutes(20);

    /// <summary>
    /// Stores all sets, and under <c>peer:USER:SCENARIO</c> the finished response of each. In the directory:
    /// <c>requests.bin</c>, a gRPC frame a user; <c>expected.bin</c>, what comes before and after <c>age</c> in each
    /// user's response; <c>fallback.bin</c>, the same of the fallback list. Each part is preceded by its length, 32 bits,
    /// little-endian.
    /// </summary>
    public async Task<object> WriteAsync(string redis, string directory)
    {
        using var connection = await ConnectionMultiplexer.ConnectAsync(redis).ConfigureAwait(false);
        var database = connection.GetDatabase();
        var (setBytes, responseBytes) = (0L, 0L);
        var requests = new FileStream(Path.Combine(directory, "requests.bin"), FileMode.Create);
        var expected = new FileStream(Path.Combine(directory, "expected.bin"), FileMode.Create);
        await using (requests.ConfigureAwait(false))
        await using (expected.ConfigureAwait(false))
        {
            foreach (var chunk in Enumerable.Range(0, users).Chunk(Chunk))
            {
                var writes = new List<Task>(3 * Chunk);
                foreach (var number in chunk)
                {
                    var user = string.Create(CultureInfo.InvariantCulture, $"u-{number:D6}");
                    var set = Draw(string.Create(CultureInfo.InvariantCulture, $"event-{number:D6}"));
                    var watched = DrawWatched(set, number % WatchedSinceEvery == 0 ? WatchedSince : 0);
                    var (head, tail) = Respond(set, watched, CandidateSource.Personalized);
                    byte[] response = [.. head, .. new GetCandidatesResponse { Age = Duration.FromTimeSpan(TimeSpan.FromMinutes(20)) }.ToByteArray(), .. tail];
                    writes.Add(Store(RedisKeys.Set(user, Scenario), set.ToByteArray()));
                    writes.Add(Store(RedisKeys.Watched(user), new WatchedShows { Hashes = { watched.Select(StableHash.Of).Order() } }.ToByteArray()));
                    writes.Add(Store($"peer:{user}:{Scenario}", response));
                    Append(requests, Frame(new GetCandidatesRequest { UserId = user, Scenario = Scenario }.ToByteArray()));
                    Append(expected, head);
                    Append(expected, tail);
                    setBytes += set.CalculateSize();
                    responseBytes += response.Length;
                }

                await Task.WhenAll(writes).ConfigureAwait(false);
            }
        }

        await WriteFallbackAsync(directory, Store).ConfigureAwait(false);
        return new { Users = users, Items = items, SetBytes = setBytes / users, ResponseBytes = responseBytes / users };

        Task Store(string key, byte[] value) => database.StringSetAsync(key, value);
    }

    private async Task WriteFallbackAsync(string directory, Func<string, byte[], Task> store)
    {
        var list = Draw("");
        list.TriggerEventTime = null;
        list.IdScores.Clear();
        await store(RedisKeys.Popular, list.ToByteArray()).ConfigureAwait(false);
        await store(RedisKeys.PopularIn(Scenario), list.ToByteArray()).ConfigureAwait(false);
        await store(RedisKeys.Scenarios, new ScenarioDirectory { ModelVersion = ModelVersion, Scenarios = { Scenario } }.ToByteArray()).ConfigureAwait(false);
        var (head, tail) = Respond(list, [], CandidateSource.ScenarioFallback);
        var file = new FileStream(Path.Combine(directory, "fallback.bin"), FileMode.Create);
        await using (file.ConfigureAwait(false))
        {
            Append(file, head);
            Append(file, tail);
        }
    }

    private RetrievalSet Draw(string trigger)
    {
        var set = new RetrievalSet
        {
            ModelVersion = ModelVersion,
            GeneratedAt = Timestamp.FromDateTimeOffset(_made),
            TriggerEventId = trigger,
            TriggerEventTime = Timestamp.FromDateTimeOffset(_made - TimeSpan.FromMilliseconds(30)),
        };
        var categories = new byte[items];
        var drawn = new HashSet<int>();
        var score = 12f;
        for (var i = 0; i < items; i++)
        {
            int show;
            do
            {
                show = _random.Next(shows);
            }
            while (!drawn.Add(show));
            score -= _random.NextSingle() * 0.02f;
            set.ShowIds.Add(Id(show));
            set.Scores.Add(score);
            set.IdScores.Add(score * _random.NextSingle());
            categories[i] = (byte)(show % 3 + 1);
        }

        set.Categories = ByteString.CopyFrom(categories);
        return set;
    }

    private HashSet<string> DrawWatched(RetrievalSet set, int ofTheSet)
    {
        var watched = new HashSet<string>(StringComparer.Ordinal);
        while (watched.Count < ofTheSet)
        {
            watched.Add(set.ShowIds[_random.Next(items)]);
        }

        while (watched.Count < Watched)
        {
            var id = Id(_random.Next(shows));
            if (!set.ShowIds.Contains(id))
            {
                watched.Add(id);
            }
        }

        return watched;
    }

    private static (byte[] Head, byte[] Tail) Respond(RetrievalSet set, HashSet<string> watched, CandidateSource source)
    {
        var head = new GetCandidatesResponse { Source = source, ModelVersion = set.ModelVersion, GeneratedAt = set.GeneratedAt };
        for (var i = 0; i < set.ShowIds.Count; i++)
        {
            if (!watched.Contains(set.ShowIds[i]))
            {
                var candidate = new Candidate { ItemId = set.ShowIds[i], Score = set.Scores[i] };
                if (set.IdScores.Count > 0)
                {
                    candidate.IdScore = set.IdScores[i];
                    candidate.CgScore = set.Scores[i] - set.IdScores[i];
                }

                head.Candidates.Add(candidate);
            }
        }

        var tail = new GetCandidatesResponse { TriggerEventId = set.TriggerEventId, TriggerEventTime = set.TriggerEventTime };
        return (head.ToByteArray(), tail.ToByteArray());
    }

    private static string Id(int show) => string.Create(CultureInfo.InvariantCulture, $"{"sml"[show % 3]}-{show:D5}");

    private static byte[] Frame(byte[] message)
    {
        var frame = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        return frame;
    }

    private static void Append(FileStream file, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, part.Length);
        file.Write(length);
        file.Write(part);
    }
}
