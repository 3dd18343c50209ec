using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Nearline.Worker.Events;
using Nearline.Worker.State;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.State;

public sealed class IdempotencyTests
{
    private const int Window = 128;

    [Fact]
    public void Folding_once_in_order_equals_the_reference() => Prop.ForAll<int, byte>((seed, length) =>
    {
        var log = Lives.Log(new Random(seed), "u1", length % 60);
        var user = StoredUser.New("u1", Window);
        log.ForEach(e => user.Fold(e));

        Assert.Equal(ReferenceFold.Describe(Lives.Distinct(log)), ReferenceFold.Describe(user.History));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_interleaving_of_crashes_replays_and_retries_equals_folding_once() => Prop.ForAll<int, byte>((seed, length) =>
    {
        var random = new Random(seed);
        var log = Lives.Log(random, "u1", length % 60);
        byte[]? stored = null;
        var committed = 0;
        while (committed < log.Count)
        {
            var end = Math.Min(log.Count, committed + random.Next(1, 9));
            var user = Load(stored);
            log[committed..end].ForEach(e => user.Fold(e));
            switch (random.Next(3))
            {
                case 0:
                    // The worker died before it stored anything.
                    break;
                case 1:
                    // It died between the write and the commit.
                    stored = Store(user);
                    break;
                default:
                    stored = Store(user);
                    committed = end;
                    break;
            }

            if (random.Next(6) == 0)
            {
                // An operator, or a lost commit, sets the group back.
                committed = random.Next(committed + 1);
            }
        }

        Assert.Equal(ReferenceFold.Describe(Lives.Distinct(log)), ReferenceFold.Describe(Load(stored).History));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Two_workers_that_share_a_partition_count_each_event_once() => Prop.ForAll<int, byte>((seed, length) =>
    {
        var random = new Random(seed);
        var log = Lives.Log(random, "u1", 1 + (length % 40));
        byte[]? stored = null;
        int[] positions = [0, 0];
        while (positions.Min() < log.Count)
        {
            // Either worker may be ahead; both start from the stored state and write only over what they read.
            var worker = random.Next(2);
            var end = Math.Min(log.Count, positions[worker] + random.Next(1, 6));
            var user = Load(stored);
            log[positions[worker]..end].ForEach(e => user.Fold(e));
            stored = Store(user);
            positions[worker] = end;
        }

        Assert.Equal(ReferenceFold.Describe(Lives.Distinct(log)), ReferenceFold.Describe(Load(stored).History));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Outcomes_tell_new_from_replayed_from_resent_from_deleted()
    {
        var user = StoredUser.New("u1", Window);
        var delete = Deletion(2, Records.Now);
        UserEventRecord Login(long offset, string? id, DateTimeOffset time) => delete with
        {
            Offset = offset,
            Identity = id is null ? null : Contracts.StableHash.Of("s", id),
            Action = new Model.Behaviours.UserAction(Model.Behaviours.ActionKind.Login, time),
        };

        Assert.Equal(FoldOutcome.Applied, user.Fold(Login(0, "a", Records.Now.AddHours(-2))));
        Assert.Equal(FoldOutcome.DuplicateOffset, user.Fold(Login(0, "a", Records.Now.AddHours(-2))));
        Assert.Equal(FoldOutcome.DuplicateId, user.Fold(Login(1, "a", Records.Now.AddHours(-2))));
        Assert.Equal(FoldOutcome.Applied, user.Fold(delete));
        Assert.Equal(FoldOutcome.StaleDeleted, user.Fold(Login(3, "b", Records.Now.AddHours(-1))));
        Assert.True(user.IsDeleted);
        Assert.Equal(FoldOutcome.Applied, user.Fold(Login(4, "c", Records.Now.AddHours(1))));
        Assert.False(user.IsDeleted);
        Assert.Equal(FoldOutcome.Applied, user.Fold(Login(0, "d", Records.Now.AddHours(1)) with { Partition = 9 }));
    }

    [Fact]
    public void Resent_event_beyond_the_window_is_the_first_that_counts_twice()
    {
        var first = Deletion(0, Records.Now) with { Action = new(Model.Behaviours.ActionKind.Login, Records.Now) };
        FoldOutcome Resend(int between)
        {
            var user = StoredUser.New("u1", 4);
            for (var i = 0; i <= between; i++)
            {
                user.Fold(first with { Offset = i, Identity = (ulong)i });
            }

            return user.Fold(first with { Offset = between + 1, Identity = 0 });
        }

        Assert.Equal(FoldOutcome.DuplicateId, Resend(3));
        Assert.Equal(FoldOutcome.Applied, Resend(4));
    }

    private static UserEventRecord Deletion(long offset, DateTimeOffset time) => new(
        "u1", new(Model.Behaviours.ActionKind.DeleteUser, time), "d", null, "t", 0, offset);

    private static StoredUser Load(byte[]? stored) =>
        stored is null ? StoredUser.New("u1", Window) : UserStateMapper.FromBytes("u1", stored, Window);

    private static byte[] Store(StoredUser user) => UserStateMapper.ToMessage(user, Records.Now).ToByteArray();
}
