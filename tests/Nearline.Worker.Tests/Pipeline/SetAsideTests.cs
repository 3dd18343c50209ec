using Confluent.Kafka;
using Nearline.Contracts.Refresh.V1;
using Nearline.Worker.Events;
using Nearline.Worker.Kafka;
using Nearline.Worker.Pipeline;
using static Nearline.Worker.Tests.Support.Records;

namespace Nearline.Worker.Tests.Pipeline;

public sealed class SetAsideTests
{
    private readonly PartitionLease lease = new(new TopicPartition("refresh", 0));
    private readonly SetAside aside;
    private string served = "old";
    private long offset;

    public SetAsideTests() => aside = new SetAside(10, () => served, TimeProvider.System);

    [Fact]
    public void Request_waits_until_what_it_wants_is_served()
    {
        Assert.True(aside.TryAdd(Request("new")));
        Assert.False(aside.TryTake(out _));
        served = "new";
        Assert.True(aside.TryTake(out var item));
        Assert.True(item.IsHeld);
        Assert.True(aside.IsEmpty);
    }

    [Fact]
    public void Request_of_a_plan_that_is_served_no_more_holds_nothing_up()
    {
        served = "second";
        Assert.True(aside.TryAdd(Request("second")));
        served = "third";
        Assert.True(aside.TryTake(out _));
        Assert.True(aside.TryAdd(Request("third")));
        Assert.True(aside.TryTake(out _));
    }

    [Fact]
    public void Request_of_a_plan_that_was_never_served_is_taken_when_a_later_backfill_wants_another()
    {
        Assert.True(aside.TryAdd(Request("second")));
        Assert.False(aside.TryTake(out _));
        Assert.True(aside.TryAdd(Request("third")));
        Assert.True(aside.TryTake(out _));

        // The newest still waits for what it wants.
        Assert.False(aside.TryTake(out _));
        served = "third";
        Assert.True(aside.TryTake(out _));
    }

    [Fact]
    public void Request_of_another_partition_does_not_make_one_outdated()
    {
        Assert.True(aside.TryAdd(Request("new")));
        Assert.True(aside.TryAdd(Request("old", new PartitionLease(new TopicPartition("refresh", 1)))));
        Assert.False(aside.TryTake(out _));
    }

    [Fact]
    public void Requests_back_to_a_plan_that_was_served_before_wait_for_it_again()
    {
        served = "first";
        Assert.True(aside.TryAdd(Request("second")));
        Assert.True(aside.TryAdd(Request("first")));
        Assert.True(aside.TryTake(out _));
        served = "second";
        Assert.True(aside.TryTake(out _));
        Assert.True(aside.TryAdd(Request("first")));
        Assert.False(aside.TryTake(out _));
    }

    [Fact]
    public void Only_backfills_and_no_more_than_there_is_room_for_are_set_aside()
    {
        Assert.False(aside.TryAdd(Request("old", reason: RefreshReason.Admin)));
        for (var i = 0; i < 10; i++)
        {
            Assert.True(aside.TryAdd(Request("old")));
        }

        Assert.False(aside.TryAdd(Request("old")));
    }

    private WorkItem Request(string plan, PartitionLease? of = null, RefreshReason reason = RefreshReason.Backfill) => new(
        new LeasedRecord(Record([]) with { Offset = offset++ }, of ?? lease, TimeProvider.System.GetTimestamp()),
        null,
        new UserRefresh("u", reason, new BackfillScope { Plan = plan }),
        null);
}
