using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Nearline.Contracts;
using Nearline.Contracts.Storage.V1;
using Nearline.Model.Behaviours;
using Nearline.Model.Serving;
using Nearline.Worker.State;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.State;

public sealed class UserStateMapperTests
{
    [Fact]
    public void Round_trip_keeps_everything_and_counts_the_revision() => Prop.ForAll<int, byte>((seed, length) =>
    {
        var user = StoredUser.New("ü1", 16);
        Lives.Log(new Random(seed), "ü1", length % 80).ForEach(e => user.Fold(e));
        user.SetFence("other", 5, long.MaxValue);
        user.SetScenarios = ["home"];
        user.Made = new Worker.State.MadeSets(Records.Now, "m1", 7, [new MadeVariant("bold", "m2", ["home", "kids"])]);
        user.Pending = length % 2 == 0 ? null : new Worker.State.PendingSets(Records.Now.AddSeconds(1), new SetTrigger("e", Records.Now.AddDays(-1)));

        var bytes = UserStateMapper.ToMessage(user, Records.Now).ToByteArray();
        var read = UserStateMapper.FromBytes("ü1", bytes, 16);

        Assert.Equal(1UL, read.Revision);
        Assert.Equal(ReferenceFold.Describe(user.History), ReferenceFold.Describe(read.History));
        Assert.Equal(user.Fences.OrderBy(f => f.Key), read.Fences.OrderBy(f => f.Key));
        Assert.Equal(user.Recent.Identities, read.Recent.Identities);
        Assert.Equal(user.SetScenarios, read.SetScenarios);
        Assert.Equivalent(user.Made, read.Made, strict: true);
        Assert.Equal(user.Pending, read.Pending);
        Assert.Equal(
            user.History.Behaviours.SelectMany(b => b.EpisodeHashes).Order(), read.History.Behaviours.SelectMany(b => b.EpisodeHashes).Order());
    }).QuickCheckThrowOnFailure();

    /// <summary>Bytes as they lie in somebody's Redis: whoever changes the layout must still read them, or give it a new number.</summary>
    [Fact]
    public void State_that_was_stored_before_is_read_as_it_was_meant()
    {
        var read = UserStateMapper.FromBytes("u1", Convert.FromBase64String(StoredBefore), 16);

        Assert.Equal(3UL, read.Revision);
        Assert.Equal(ReferenceFold.Describe(Stored().History), ReferenceFold.Describe(read.History));
        Assert.Equal([new(("t", 2), 43L)], read.Fences);
        Assert.Equal(Stored().Recent.Identities, read.Recent.Identities);
        Assert.Equivalent(Stored().Made, read.Made, strict: true);
        Assert.Equal(Stored().Pending, read.Pending);
    }

    private const string StoredBefore =
        "CQMAAAAAAAAAEAEaAnUxIgcKAXQQAhgrKhgLAAAAAAAAAAwAAAAAAAAADQAAAAAAAAAyCwoGZ2VuZGVyEgFmOgRob21lOgRraWRzQi4IARIGZmlsbS0xGAEh" +
        "AAAAAABwp0ApAAAAAABwt0AyBgjAsovYBjoGCMCyi9gGQh4IAxIGZmlsbS0xGAEyBgjFsovYBjoGCMWyi9gGQAFCIAgEEgZmaWxtLTEYATIGCMWyi9gGOgYI" +
        "xbKL2AZAAVABUANaBgjGsovYBmICdHZqBgjAsovYBnoEaG9tZYIBEAoGZ2VuZGVyEgYIxrKL2AaKAQYIxrKL2AaSAQYIwLKL2AaaASAKBgjAsovYBhICbTEY" +
        "ByIQCgRib2xkEgJtMhoEaG9tZaIBFAoGCMGyi9gGEgJlMhoGCMWyi9gG";

    private static StoredUser Stored()
    {
        var user = new StoredUser("u1", 2, new UserHistory(), new RecentEvents(16, []));
        user.Fold(new("u1", new(ActionKind.Watch, Records.Now) { ShowId = "film-1", Played = TimeSpan.FromMinutes(50), Length = TimeSpan.FromMinutes(100), Device = "tv" }, "e1", 11, "t", 2, 40));
        user.Fold(new("u1", new(ActionKind.Like, Records.Now.AddSeconds(5)) { ShowId = "film-1" }, "e2", 12, "t", 2, 41));
        user.Fold(new("u1", new(ActionKind.ProfileUpdate, Records.Now.AddSeconds(6)) { Attributes = new Dictionary<string, string> { ["gender"] = "f" }, Scenarios = ["home", "kids"] }, "e3", 13, "t", 2, 42));
        user.SetScenarios = ["home"];
        user.Made = new Worker.State.MadeSets(Records.Now, "m1", 7, [new MadeVariant("bold", "m2", ["home"])]);
        user.Pending = new Worker.State.PendingSets(Records.Now.AddSeconds(1), new SetTrigger("e2", Records.Now.AddSeconds(5)));
        return user;
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(254UL)]
    [InlineData(0x0102030405060708UL)]
    public void First_nine_bytes_are_the_revision(ulong revision)
    {
        var user = new StoredUser("u1", revision, new UserHistory(), new RecentEvents(0, []));
        var bytes = UserStateMapper.ToMessage(user, Records.Now).ToByteArray();

        Assert.Equal(0x09, bytes[0]);
        Assert.Equal(revision + 1, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(1, 8)));
    }

    [Fact]
    public void Playback_of_untold_length_is_remembered()
    {
        var user = StoredUser.New("u1", 0);
        user.Fold(new("u1", new(ActionKind.Watch, Records.Now) { ShowId = "s" }, "e", null, "t", 0, 0));

        var read = UserStateMapper.FromBytes("u1", UserStateMapper.ToMessage(user, Records.Now).ToByteArray(), 0);
        read.Fold(new("u1", new(ActionKind.Watch, Records.Now) { ShowId = "s", Played = TimeSpan.FromSeconds(10) }, "f", null, "t", 0, 1));

        Assert.Equal(["s"], read.History.WatchedShows());
    }

    [Fact]
    public void More_watched_shows_than_are_kept_stay_left_out()
    {
        var user = StoredUser.New("u1", 0);
        for (var i = 0; i < UserHistory.MaxBehavioursPerKind + 7; i++)
        {
            user.Fold(new("u1", new(ActionKind.Watch, Records.Now.AddSeconds(i)) { ShowId = $"s{i}" }, "e", null, "t", 0, i));
        }

        var read = UserStateMapper.FromBytes("u1", UserStateMapper.ToMessage(user, Records.Now).ToByteArray(), 0);

        Assert.Equal(["s0", "s1", "s2", "s3", "s4", "s5", "s6"], read.History.OlderWatched);
        var hashes = RetrievalSetMapper.Watched(read.History)!.Hashes;
        Assert.Equal(Enumerable.Range(0, UserHistory.MaxBehavioursPerKind + 7).Select(i => StableHash.Of($"s{i}")).Order(), hashes);
    }

    [Fact]
    public void Tombstone_holds_nothing_of_the_past_but_guards()
    {
        var user = StoredUser.New("u1", 16);
        user.Fold(new("u1", new(ActionKind.Watch, Records.Now) { ShowId = "s", Device = "tv" }, "e", 1, "t", 0, 0));
        user.Fold(new("u1", new(ActionKind.ProfileUpdate, Records.Now) { Attributes = new Dictionary<string, string> { ["a"] = "b" }, Scenarios = ["x"] }, "e", 2, "t", 0, 1));
        user.Fold(new("u1", new(ActionKind.DeleteUser, Records.Now.AddSeconds(1)), "e", 3, "t", 0, 2));

        var message = UserStateMapper.ToMessage(user, Records.Now);

        Assert.Empty(message.Behaviours);
        Assert.Empty(message.Attributes);
        Assert.Empty(message.Scenarios);
        Assert.Empty(message.OlderWatched);
        Assert.Equal("", message.LastDevice);
        Assert.Null(message.LastEventTime);
        Assert.Equal(Records.Now.AddSeconds(1), message.DeletedAt.ToDateTimeOffset());
        Assert.Equal(3, Assert.Single(message.Fences).NextOffset);
        Assert.Null(RetrievalSetMapper.Watched(user.History));
    }

    [Fact]
    public void Unreadable_states_are_refused_with_the_reason()
    {
        var good = UserStateMapper.ToMessage(StoredUser.New("u1", 0), Records.Now);
        var newer = good.Clone();
        newer.Schema = StorageSchema.Newest + 1;
        var odd = good.Clone();
        odd.Behaviours.Add(new Contracts.Storage.V1.ShowBehaviour { ShowId = "s" });

        Refused(newer, "schema 2");
        Refused(odd, "kind 0");
        Refused(new UserState { UserId = "u1" }, "revision 0");
        Assert.Contains("user 'u1'", Assert.Throws<UnreadableStateException>(() => UserStateMapper.FromBytes("u2", good.ToByteArray(), 0)).Message, StringComparison.Ordinal);
        Assert.Contains("not a UserState", Assert.Throws<UnreadableStateException>(() => UserStateMapper.FromBytes("u1", [0xFF, 1, 2], 0)).Message, StringComparison.Ordinal);

        static void Refused(UserState state, string says) => Assert.Contains(
            says, Assert.Throws<UnreadableStateException>(() => UserStateMapper.FromBytes("u1", state.ToByteArray(), 0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Set_is_column_wise_in_order_with_its_trigger()
    {
        var candidates = new ScenarioCandidates("home", [new("a", ShowCategory.Live, 3, 1), new("b", ShowCategory.Series, 2, 0.5f)]);

        var set = RetrievalSetMapper.Personal(candidates, "m1", Records.Now, "e1", Records.Now.AddSeconds(-2));
        var list = RetrievalSetMapper.Fallback(candidates, "m1", Records.Now);

        Assert.Equal(["a", "b"], set.ShowIds);
        Assert.Equal([3f, 2f], set.Scores);
        Assert.Equal([1f, 0.5f], set.IdScores);
        Assert.Equal([3, 1], set.Categories.ToByteArray());
        Assert.Equal(("m1", "e1", Records.Now.AddSeconds(-2)), (set.ModelVersion, set.TriggerEventId, set.TriggerEventTime.ToDateTimeOffset()));
        Assert.Empty(list.IdScores);
        Assert.Equal("", list.TriggerEventId);
        Assert.Null(list.TriggerEventTime);
    }
}
