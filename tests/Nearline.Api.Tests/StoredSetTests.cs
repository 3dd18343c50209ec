using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Api.Serving;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;

namespace Nearline.Api.Tests;

/// <summary>Reading in place gives what protobuf's own reader gives, whatever legal layout the bytes have.</summary>
public sealed class StoredSetTests
{
    [Fact]
    public void Reads_what_protobuf_reads()
    {
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Arb.From(Sets()), set => Agrees(set.ToByteArray(), set)));
    }

    [Fact]
    public void Reads_split_and_reordered_messages()
    {
        // Two serialised messages in a row are their merge: columns come in pieces and fields repeat.
        var halves =
            from first in Sets()
            from second in Sets()
            select (First: first, Second: second);
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Arb.From(halves), pair =>
        {
            byte[] bytes = [.. pair.First.ToByteArray(), .. pair.Second.ToByteArray()];
            var merged = RetrievalSet.Parser.ParseFrom(bytes);
            return Columns(merged)
                ? Agrees(bytes, merged)
                : Assert.Throws<InvalidDataException>(() => StoredSet.Read(bytes).Count) is not null;
        }));
    }

    [Fact]
    public void Passes_over_fields_of_later_versions()
    {
        var set = new RetrievalSet { ShowIds = { "a", "b" }, Scores = { 2, 1 }, Categories = ByteString.CopyFrom(1, 2) };
        var bytes = set.ToByteArray();
        // Field 100 as a varint, field 101 as 32 and field 102 as 64 bits, field 103 as bytes.
        byte[] later =
        [
            0xA0, 0x06, 0x96, 0x01, 0xAD, 0x06, 1, 2, 3, 4, 0xB1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xBA, 0x06, 0x02, 9, 9,
        ];

        Assert.True(Agrees([.. bytes, .. later], set));
        Assert.True(Agrees([.. later, .. bytes], set));
    }

    [Fact]
    public void Every_value_says_its_schema_and_newer_ones_are_refused_by_name()
    {
        var set = new RetrievalSet { ShowIds = { "a" }, Scores = { 2 }, Schema = StorageSchema.Newest };
        Assert.True(Agrees(set.ToByteArray(), set));
        set.Schema = 0;
        Assert.True(Agrees(set.ToByteArray(), set));
        Assert.Equal(2, WatchedHashes.Read(new WatchedShows { Hashes = { 1, 2 } }.ToByteArray()).Count);

        set.Schema = StorageSchema.Newest + 1;
        Assert.Contains("schema 2 is newer than 1", Assert.Throws<InvalidDataException>(() => StoredSet.Read(set.ToByteArray()).Count).Message, StringComparison.Ordinal);
        var watched = new WatchedShows { Hashes = { 1, 2 }, Schema = StorageSchema.Newest + 1 };
        Assert.Contains("schema 2 is newer than 1", Assert.Throws<InvalidDataException>(() => WatchedHashes.Read(watched.ToByteArray()).Count).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Truncated_bytes_are_never_taken_for_the_whole_set()
    {
        var set = new RetrievalSet
        {
            ModelVersion = "m",
            GeneratedAt = new Timestamp { Seconds = 5 },
            ShowIds = { "first", "second" },
            Scores = { 2, 1 },
            IdScores = { 1, 1 },
            Categories = ByteString.CopyFrom(1, 2),
        };
        var bytes = set.ToByteArray();
        for (var length = 0; length < bytes.Length; length++)
        {
            var part = bytes[..length];
            var whole = Record.Exception(() => RetrievalSet.Parser.ParseFrom(part)) is null
                && Columns(RetrievalSet.Parser.ParseFrom(part));
            var ours = Record.Exception(() => StoredSet.Read(part).Count);
            Assert.Equal(whole, ours is null);
            Assert.True(ours is null or InvalidDataException, ours?.ToString());
        }
    }

    [Fact]
    public void Columns_of_unequal_length_are_refused_by_name()
    {
        Assert.Contains("2 show_ids but 1 scores", Refusal(new() { ShowIds = { "a", "b" }, Scores = { 1 } }), StringComparison.Ordinal);
        Assert.Contains("1 show_ids but 2 id_scores", Refusal(new() { ShowIds = { "a" }, Scores = { 1 }, IdScores = { 1, 1 } }), StringComparison.Ordinal);
        Assert.Contains(
            "1 show_ids but 3 categories",
            Refusal(new() { ShowIds = { "a" }, Scores = { 1 }, Categories = ByteString.CopyFrom(1, 1, 1) }),
            StringComparison.Ordinal);

        static string Refusal(RetrievalSet set) =>
            Assert.Throws<InvalidDataException>(() => StoredSet.Read(set.ToByteArray()).Count).Message;
    }

    [Fact]
    public void Watched_hashes_are_found_wherever_they_are_and_nothing_else()
    {
        var many = Gen.Choose(0, 200).SelectMany(count => Gen.Choose(0, 500).ArrayOf(count));
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Arb.From(many), numbers =>
        {
            var watched = numbers.Select(n => $"show-{n}").ToHashSet(StringComparer.Ordinal);
            var stored = new WatchedShows { Hashes = { watched.Select(StableHash.Of).Order() } };
            var hashes = WatchedHashes.Read(stored.ToByteArray());
            for (var n = 0; n <= 500; n++)
            {
                if (hashes.Contains(StableHash.Of($"show-{n}")) != watched.Contains($"show-{n}"))
                {
                    return false;
                }
            }

            return hashes.Count == watched.Count;
        }));
    }

    [Fact]
    public void Watched_hashes_that_are_not_packed_are_read_too()
    {
        // Tag 9: field 1, 64 bits, one number a field.
        byte[] unpacked = [9, 1, 0, 0, 0, 0, 0, 0, 0, 9, 7, 0, 0, 0, 0, 0, 0, 0];
        var hashes = WatchedHashes.Read(unpacked);

        Assert.True(hashes.Contains(1) && hashes.Contains(7) && !hashes.Contains(3));
        Assert.False(WatchedHashes.Read(null).Contains(1));
        Assert.Throws<InvalidDataException>(() => WatchedHashes.Read([10, 200]).Count);
    }

    private static bool Columns(RetrievalSet set) =>
        set.Scores.Count == set.ShowIds.Count
        && (set.IdScores.Count == set.ShowIds.Count || set.IdScores.Count == 0)
        && (set.Categories.Length == set.ShowIds.Count || set.Categories.Length == 0);

    private static bool Agrees(byte[] stored, RetrievalSet expected)
    {
        var set = StoredSet.Read(stored);
        Assert.Equal(expected.ShowIds.Count, set.Count);
        Assert.Equal(expected.ModelVersion, set.ReadModelVersion());
        Assert.Equal(expected.TriggerEventId, Encoding.UTF8.GetString(set.TriggerEventId));
        Assert.Equal(
            expected.GeneratedAt is { } made && made != new Timestamp() ? made : null,
            StoredSet.TryReadTime(set.GeneratedAt, out var seconds, out var nanos) ? new Timestamp { Seconds = seconds, Nanos = nanos } : null);
        Assert.Equal(expected.TriggerEventTime ?? new Timestamp(), Timestamp.Parser.ParseFrom(set.TriggerEventTime));
        var next = 0;
        foreach (var show in set)
        {
            Assert.Equal(next, show.Index);
            Assert.Equal(expected.ShowIds[next], show.ReadId());
            Assert.Equal(expected.Scores[next], show.Score);
            Assert.Equal(expected.IdScores.Count == 0 ? null : expected.IdScores[next], show.IdScore);
            Assert.Equal(expected.Categories.IsEmpty ? 0 : expected.Categories[next], show.Category);
            next++;
        }

        return next == expected.ShowIds.Count;
    }

    private static Gen<RetrievalSet> Sets() =>
        from count in Gen.Choose(0, 40)
        from ids in Gen.Elements("", "a", "show-1", "\u756a\u7d44", new string('x', 200)).ArrayOf(count)
        from scores in Gen.Choose(-1000, 1000).ArrayOf(count)
        from withParts in Gen.Elements(true, false)
        from withKinds in Gen.Elements(true, false)
        from version in Gen.Elements("", "m5-1")
        from seconds in Gen.Choose(0, 2_000_000_000)
        from nanos in Gen.Choose(0, 999_999_999)
        from timed in Gen.Elements(true, false)
        select new RetrievalSet
        {
            ModelVersion = version,
            GeneratedAt = timed ? new Timestamp { Seconds = seconds, Nanos = nanos } : null,
            TriggerEventId = version.Length == 0 ? "" : "event",
            TriggerEventTime = timed ? new Timestamp { Seconds = seconds } : null,
            ShowIds = { ids },
            Scores = { scores.Select(score => score / 8f) },
            IdScores = { withParts ? scores.Select(score => score / 16f) : [] },
            Categories = withKinds ? ByteString.CopyFrom([.. scores.Select(score => (byte)(Math.Abs(score) % 4))]) : ByteString.Empty,
        };
}
