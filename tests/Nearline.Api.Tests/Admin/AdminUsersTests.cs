using System.Text;
using Confluent.Kafka;
using Grpc.Core;
using Nearline.Api.Tests.Support;
using Nearline.Contracts;
using Nearline.Contracts.Admin.V1;
using Nearline.Contracts.Events.V1;
using Nearline.Contracts.Refresh.V1;
using Nearline.LocalServers.Kafka;

namespace Nearline.Api.Tests.Admin;

[Collection(RedisCollection.Name)]
public sealed class AdminUsersTests(SharedRedis redis)
{
    [Fact]
    public async Task Refresh_and_deletion_are_in_Kafka_when_they_are_answered()
    {
        using var kafka = MockKafkaCluster.Start();
        kafka.CreateTopic(KafkaTopics.Refresh, partitions: 1);
        kafka.CreateTopic("events-of-ours", partitions: 1);
        await using var api = await RunningApi.StartAsync(
            redis.Address, ("Kafka:BootstrapServers", kafka.BootstrapServers), ("Kafka:UserEventsTopic", "events-of-ours"), ("Api:KafkaTimeout", "00:01:00"));
        var admin = new AdminService.AdminServiceClient(api.Channel);
        var before = DateTimeOffset.UtcNow;

        var asked = (await admin.RefreshUserAsync(new() { UserId = "user-1" })).RequestedAt;
        var deleted = (await admin.DeleteUserAsync(new() { UserId = "user-2" })).DeletedAt;

        // Nothing is waited for: what was answered is there.
        var request = await ReadOnlyOneAsync(kafka, KafkaTopics.Refresh);
        var sent = RefreshRequest.Parser.ParseFrom(request.Value);
        Assert.Equal(("user-1", "user-1", RefreshReason.Admin, asked), (request.Key, sent.UserId, sent.Reason, sent.RequestedAt));
        var record = await ReadOnlyOneAsync(kafka, "events-of-ours");
        var deletion = UserEvent.Parser.ParseFrom(record.Value);
        Assert.Equal(("user-2", "user-2", UserEvent.ActionOneofCase.DeleteUser, deleted), (record.Key, deletion.UserId, deletion.ActionCase, deletion.EventTime));
        Assert.InRange(deleted.ToDateTimeOffset(), before, DateTimeOffset.UtcNow);
        Assert.Equal(deletion.EventId, Encoding.UTF8.GetString(record.Headers.GetLastBytes(KafkaHeaders.CeId)));
        Assert.Equal("nearline-api", Encoding.UTF8.GetString(record.Headers.GetLastBytes(KafkaHeaders.CeSource)));
        Assert.Contains(api.Log.Lines, l => l.StartsWith("admin: ipv4:127.0.0.1:", StringComparison.Ordinal) && l.EndsWith(": RefreshUser 'user-1': done", StringComparison.Ordinal));
        Assert.Contains(api.Log.Lines, l => l.StartsWith("admin: ipv4:127.0.0.1:", StringComparison.Ordinal) && l.EndsWith(": DeleteUser 'user-2': done", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Kafka_that_does_not_answer_is_unavailable_and_a_shorter_deadline_is_kept()
    {
        using var kafka = MockKafkaCluster.Start();
        kafka.CreateTopic(KafkaTopics.Refresh, partitions: 1);
        await using var api = await RunningApi.StartAsync(
            redis.Address, ("Kafka:BootstrapServers", kafka.BootstrapServers), ("Api:KafkaTimeout", "00:00:01"));
        var admin = new AdminService.AdminServiceClient(api.Channel);
        kafka.BrokerDown();

        await FailsAsync(StatusCode.Unavailable, "Kafka did not take the request (", () => admin.RefreshUserAsync(new() { UserId = "u" }).ResponseAsync);
        await FailsAsync(StatusCode.Unavailable, "Kafka did not take the request (", () => admin.DeleteUserAsync(new() { UserId = "u" }).ResponseAsync);
        var late = await Rpc.FailureAsync(() => admin.RefreshUserAsync(new() { UserId = "u" }, deadline: DateTime.UtcNow.AddMilliseconds(200)).ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, late.StatusCode);
    }

    [Fact]
    public async Task Without_Kafka_the_setting_is_named_and_bad_users_are_refused_first()
    {
        await using var api = await RunningApi.StartAsync(redis.Address);
        var admin = new AdminService.AdminServiceClient(api.Channel);

        foreach (var call in new Func<string, Task>[]
        {
            user => admin.RefreshUserAsync(new() { UserId = user }).ResponseAsync,
            user => admin.DeleteUserAsync(new() { UserId = user }).ResponseAsync,
        })
        {
            await FailsAsync(StatusCode.FailedPrecondition, "Kafka:BootstrapServers is not set; it must be", () => call("u"));
            await FailsAsync(StatusCode.InvalidArgument, "user_id is empty; it must be the id of a user, at most 256 bytes", () => call(""));
            await FailsAsync(StatusCode.InvalidArgument, "user_id is 'a{b'; it must contain neither", () => call("a{b"));
            await FailsAsync(StatusCode.InvalidArgument, "300 bytes; it must be at most 256 bytes", () => call(new string('x', 300)));
        }
    }

    [Theory]
    [InlineData("Kafka:UserEventsTopic", "with space", "Kafka:UserEventsTopic is 'with space'")]
    [InlineData("Api:KafkaTimeout", "00:00:00", "Api:KafkaTimeout is 00:00:00; it must be from 00:00:00.1000000 to 00:01:00")]
    [InlineData("Api:WorkerTimeout", "00:02:00", "Api:WorkerTimeout is 00:02:00; it must be from")]
    [InlineData("Api:WorkerAddress", "127.0.0.1:5002", "Api:WorkerAddress is '127.0.0.1:5002'; it must be like http://127.0.0.1:5002")]
    public async Task Wrong_settings_end_the_start(string key, string value, string message)
    {
        var error = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(
            () => RunningApi.StartAsync(redis.Address, (key, value)));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static async Task FailsAsync(StatusCode code, string message, Func<Task> call)
    {
        var status = await Rpc.FailureAsync(call);
        Assert.Equal(code, status.StatusCode);
        Assert.Contains(message, status.Detail, StringComparison.Ordinal);
    }

    private static Task<Message<string, byte[]>> ReadOnlyOneAsync(MockKafkaCluster kafka, string topic) => Task.Factory.StartNew(
        () =>
        {
            using var consumer = new ConsumerBuilder<string, byte[]>(new ConsumerConfig
            {
                BootstrapServers = kafka.BootstrapServers,
                GroupId = "test",
                EnablePartitionEof = true,
            }).SetLogHandler((_, _) => { }).Build();
            consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
            var first = consumer.Consume(TimeSpan.FromSeconds(60));
            Assert.False(first.IsPartitionEOF, $"{topic} is empty");
            Assert.True(consumer.Consume(TimeSpan.FromSeconds(60)).IsPartitionEOF);
            return first.Message;
        },
        TaskCreationOptions.LongRunning);
}
