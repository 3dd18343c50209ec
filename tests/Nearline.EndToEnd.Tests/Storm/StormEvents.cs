using Google.Protobuf;
using Nearline.Contracts;
using Nearline.Model.Behaviours;
using Nearline.Worker.Events;
using Nearline.Worker.Tests.Support;

namespace Nearline.EndToEnd.Tests.Storm;

/// <summary>
/// The events of a storm: lives of users in which a producer's retries and events out of order are mixed, with some users
/// deletions too. The last event of each user renews the sets, or deletes the user for good.
/// </summary>
internal sealed class StormEvents
{
    private const int DeletedOneIn = 15;

    /// <param name="random">Makes it repeatable.</param>
    /// <param name="users">How many users.</param>
    /// <param name="each">Events of each; fewer different ones than the worker remembers the ids of.</param>
    public StormEvents(Random random, int users, int each)
    {
        Logs = [.. Enumerable.Range(0, users).Select(user => Log(random, user, each))];
        InOrder = [.. Interleave(random)];
    }

    /// <summary>Each user's events in the order of sending.</summary>
    public IReadOnlyList<List<UserEventRecord>> Logs { get; }

    /// <summary>All events in the order of sending.</summary>
    public IReadOnlyList<UserEventRecord> InOrder { get; }

    /// <summary>How many were sent a second time by their producer.</summary>
    public int Resent => Logs.Sum(log => log.Count - Lives.Distinct(log).Count);

    /// <summary>How many are older than one before them.</summary>
    public int OutOfOrder => Logs.Sum(log => log.Where((e, i) => i > 0 && e.Action.Time < log.Take(i).Max(b => b.Action.Time)).Count());

    /// <summary>The record as a producer sends it: every other one with its identity in CloudEvents headers.</summary>
    public static (byte[] Value, (string Name, string Value)[] Headers) ToRecord(UserEventRecord record)
    {
        var message = Lives.ToMessage(record);
        if (record.Identity is null || record.Identity % 2 == 0)
        {
            return (message.ToByteArray(), []);
        }

        (string, string)[] headers = [(KafkaHeaders.CeSource, message.Source), (KafkaHeaders.CeId, message.EventId)];
        (message.Source, message.EventId) = ("", "");
        return (message.ToByteArray(), headers);
    }

    private static List<UserEventRecord> Log(Random random, int user, int each)
    {
        var deleted = user % DeletedOneIn == 0;
        var log = Lives.Log(random, $"u{user}", each - 1, deletes: deleted);

        // Newer than all before it, so that no deletion keeps it from renewing the sets.
        var newest = log.Max(e => e.Action.Time).AddSeconds(1);
        log.Add(log[^1] with
        {
            Action = new UserAction(deleted && user % 2 == 0 ? ActionKind.DeleteUser : ActionKind.Login, newest),
            EventId = "last",
            Identity = StableHash.Of("life", "last"),
            Offset = log.Count,
        });
        return log;
    }

    private IEnumerable<UserEventRecord> Interleave(Random random)
    {
        var left = Enumerable.Range(0, Logs.Count).ToList();
        var next = new int[Logs.Count];
        while (left.Count > 0)
        {
            var i = random.Next(left.Count);
            var user = left[i];
            yield return Logs[user][next[user]++];
            if (next[user] == Logs[user].Count)
            {
                left[i] = left[^1];
                left.RemoveAt(left.Count - 1);
            }
        }
    }
}
