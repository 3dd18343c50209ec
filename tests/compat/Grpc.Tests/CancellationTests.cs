using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Tests.Proto;
using Grpc.Tests.Support;

namespace Grpc.Tests;

/// <summary>Deadlines and cancellation, seen from both sides.</summary>
public sealed class CancellationTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Client_cancels_a_unary_call_and_the_handler_learns_of_it()
    {
        await using var server = await TestServer.StartAsync();
        using var cancellation = new CancellationTokenSource();
        using var call = server.Client.UnaryAsync(new ProbeRequest { Act = "wait" }, cancellationToken: cancellation.Token);
        await server.Record.Started.Task.WaitAsync(Patience);
        await cancellation.CancelAsync();
        var e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
        Assert.True(await server.Record.Cancelled.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task Cancelled_token_stops_a_call_before_it_starts()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.UnaryAsync(new ProbeRequest(), cancellationToken: new CancellationToken(canceled: true));
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
    }

    [Fact]
    public async Task Disposal_of_a_stream_cancels_it()
    {
        await using var server = await TestServer.StartAsync();
        var call = server.Client.ServerStream(new ProbeRequest { Act = "endless" });
        Assert.True(await call.ResponseStream.MoveNext(default));
        call.Dispose();
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
        Assert.True(await server.Record.Cancelled.Task.WaitAsync(Patience));
        Assert.Equal(
            StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default))).StatusCode);
    }

    [Fact]
    public async Task Token_of_a_read_cancels_the_call()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.ServerStream(new ProbeRequest { Act = "wait" });
        using var cancellation = new CancellationTokenSource();
        var read = call.ResponseStream.MoveNext(cancellation.Token);
        await server.Record.Started.Task.WaitAsync(Patience);
        await cancellation.CancelAsync();
        var e = await Assert.ThrowsAsync<RpcException>(() => read);
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        Assert.True(await server.Record.Cancelled.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task Token_of_a_write_cancels_the_call()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.ClientStream();
        await call.RequestStream.WriteAsync(new ProbeRequest { Act = "response-headers" }, CancellationToken.None);
        await call.ResponseHeadersAsync;
        var e = await Assert.ThrowsAnyAsync<Exception>(
            () => call.RequestStream.WriteAsync(new ProbeRequest(), new CancellationToken(canceled: true)));
        Assert.True(e is RpcException { StatusCode: StatusCode.Cancelled } or OperationCanceledException);
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
        Assert.True(await server.Record.EndOf("upload").Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task Deadline_ends_a_unary_call_on_both_sides()
    {
        await using var server = await TestServer.StartAsync();
        await server.Client.UnaryAsync(new ProbeRequest());
        var watch = Stopwatch.StartNew();
        using var call = server.Client.UnaryAsync(new ProbeRequest { Act = "wait" }, deadline: DateTime.UtcNow.AddMilliseconds(500));
        var e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        Assert.Equal(StatusCode.DeadlineExceeded, call.GetStatus().StatusCode);
        Assert.InRange(watch.ElapsedMilliseconds, 400, 5000);
        Assert.True(await server.Record.Cancelled.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task Deadline_ends_a_stream()
    {
        await using var server = await TestServer.StartAsync();
        await server.Client.UnaryAsync(new ProbeRequest());
        using var call = server.Client.ServerStream(new ProbeRequest { Act = "endless" }, deadline: DateTime.UtcNow.AddMilliseconds(500));
        var e = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext(default))
            {
            }
        });
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        Assert.True(await server.Record.Cancelled.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task Deadline_in_the_past_fails_without_a_call()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.UnaryAsync(new ProbeRequest(), deadline: DateTime.UtcNow.AddSeconds(-1));
        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
        Assert.DoesNotContain(server.Logs.Entries, l => l.Message.StartsWith("Request starting", StringComparison.Ordinal));
    }

    [Fact]
    public void Deadline_must_be_utc()
    {
        using var channel = GrpcChannel.ForAddress("http://127.0.0.1:1");
        Assert.Throws<InvalidOperationException>(
            () => new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest(), deadline: DateTime.Now.AddSeconds(1)));
    }

    [Theory]
    [InlineData("100m")]
    [InlineData("100000u")]
    [InlineData("100000000n", false)]
    [InlineData("99999999n")]
    [InlineData("1n")]
    public async Task Server_keeps_the_deadline_itself(string timeout, bool isValid = true)
    {
        await using var server = await TestServer.StartAsync();
        var request = new ProbeRequest { Act = isValid ? "wait" : "" };
        var raw = await RawCall.SendAsync(
            server.Address, "/nearline.grpc.tests.Probe/Unary", Frame.Of(request.ToByteArray()), headers: ("grpc-timeout", timeout));
        Assert.Equal(isValid ? "4" : "0", raw.Status);
        Assert.True(!server.Record.Started.Task.IsCompleted || await server.Record.Cancelled.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task Handler_that_ignores_its_deadline_does_not_delay_the_client()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync(
            map: app => Microsoft.AspNetCore.Builder.GrpcEndpointRouteBuilderExtensions.MapGrpcService(app, StubbornService.Define(release.Task)));
        var raw = await RawCall.SendAsync(server.Address, "/stubborn/Wait", Frame.Of([]), headers: ("grpc-timeout", "50m"));
        Assert.Equal("4", raw.Status);
        Assert.False(release.Task.IsCompleted);
        release.SetResult();
    }

    [Fact]
    public async Task Calls_that_end_just_at_their_deadline_disturb_no_others()
    {
        // Server streams are used again for later calls; a deadline that fires late must not hit one of those.
        await using var server = await TestServer.StartAsync(
            map: app => Microsoft.AspNetCore.Builder.GrpcEndpointRouteBuilderExtensions.MapGrpcService(app, RacingService.Define()));
        var method = RacingService.Method;
        var invoker = server.Channel.CreateCallInvoker();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        var racing = Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            var outcomes = new HashSet<string>(StringComparer.Ordinal);
            while (!stop.IsCancellationRequested)
            {
                var raw = await RawCall.SendAsync(server.Address, "/racing/Wait", Frame.Of([]), headers: ("grpc-timeout", "10m"));
                outcomes.Add(raw.Status!);
            }

            Assert.Subset(new HashSet<string>(StringComparer.Ordinal) { "0", "4" }, outcomes);
        }));
        var calls = 0;
        while (!racing.IsCompleted)
        {
            Assert.Equal("x", await invoker.AsyncUnaryCall(method, null, default, "x"));
            calls++;
        }

        await racing;
        Assert.True(calls > 20, $"{calls} calls");
    }

    [Fact]
    public async Task Cancellation_throws_operation_canceled_on_request()
    {
        await using var server = await TestServer.StartAsync();
        using var channel = server.CreateChannel(new GrpcChannelOptions { ThrowOperationCanceledOnCancellation = true });
        var client = new Probe.ProbeClient(channel);
        using var cancellation = new CancellationTokenSource(50);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => client.UnaryAsync(new ProbeRequest { Act = "wait" }, cancellationToken: cancellation.Token).ResponseAsync);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => client.UnaryAsync(new ProbeRequest { Act = "wait" }, deadline: DateTime.UtcNow.AddMilliseconds(50)).ResponseAsync);
    }

    [Fact]
    public async Task Disposal_of_the_channel_cancels_its_calls()
    {
        await using var server = await TestServer.StartAsync();
        var channel = server.CreateChannel(new GrpcChannelOptions());
        var client = new Probe.ProbeClient(channel);
        var call = client.UnaryAsync(new ProbeRequest { Act = "wait" });
        channel.Dispose();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
        Assert.Throws<ObjectDisposedException>(() => client.UnaryAsync(new ProbeRequest()));
    }

    [Fact]
    public async Task Shutdown_of_the_channel_cancels_its_calls()
    {
        await using var server = await TestServer.StartAsync();
        using var channel = server.CreateChannel(new GrpcChannelOptions());
        var call = new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest { Act = "wait" });
        await channel.ShutdownAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
    }

    private static class StubbornService
    {
        public static ServerServiceDefinition Define(Task released)
        {
            var method = new Method<string, string>(
                MethodType.Unary, "stubborn", "Wait", Marshallers.StringMarshaller, Marshallers.StringMarshaller);
            return ServerServiceDefinition.CreateBuilder()
                .AddMethod(method, async (request, context) =>
                {
                    await released;
                    return request;
                })
                .Build();
        }
    }

    private static class RacingService
    {
        public static Method<string, string> Method { get; } =
            new(MethodType.Unary, "racing", "Wait", Marshallers.StringMarshaller, Marshallers.StringMarshaller);

        // Ends about when a deadline of ten milliseconds does.
        public static ServerServiceDefinition Define() =>
            ServerServiceDefinition.CreateBuilder()
                .AddMethod(Method, async (request, context) =>
                {
                    if (request.Length == 0)
                    {
                        await Task.Delay(Random.Shared.Next(8, 14), CancellationToken.None);
                    }

                    return request;
                })
                .Build();
    }
}
