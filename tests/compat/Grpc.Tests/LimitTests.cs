using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Tests.Proto;
using Grpc.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.Tests;

/// <summary>Limits of message sizes.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task Requests_over_the_default_limit_are_refused()
    {
        await using var server = await TestServer.StartAsync();
        var e = await Assert.ThrowsAsync<RpcException>(() => server.Client.UnaryAsync(
            new ProbeRequest { Payload = ByteString.CopyFrom(new byte[4 * 1024 * 1024]) }).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
    }

    [Fact]
    public async Task Large_messages_pass_where_the_limits_are_lifted()
    {
        await using var server = await TestServer.StartAsync(o => o.MaxReceiveMessageSize = null);
        using var channel = server.CreateChannel(new GrpcChannelOptions { MaxReceiveMessageSize = null });
        var payload = new byte[9_000_000];
        Random.Shared.NextBytes(payload);
        var reply = await new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest { Payload = ByteString.CopyFrom(payload) });
        Assert.True(payload.AsSpan().SequenceEqual(reply.Payload.Span));
    }

    [Fact]
    public async Task Options_of_one_service_win_over_those_of_all()
    {
        await using var server = await TestServer.StartAsync(
            o => o.MaxReceiveMessageSize = 10,
            b => b.AddServiceOptions<LimitedService>(o =>
            {
                o.MaxReceiveMessageSize = 1000;
                o.MaxSendMessageSize = 500;
            }));
        var limited = new Limited.LimitedClient(server.Channel);
        Assert.Equal(100, (await limited.EchoAsync(new ProbeRequest { Text = new string('a', 100) })).Text.Length);
        Assert.Equal(
            StatusCode.ResourceExhausted,
            (await Assert.ThrowsAsync<RpcException>(
                () => limited.EchoAsync(new ProbeRequest { Text = new string('a', 1000) }).ResponseAsync)).StatusCode);
        Assert.Equal(
            StatusCode.ResourceExhausted,
            (await Assert.ThrowsAsync<RpcException>(() => limited.EchoAsync(new ProbeRequest { Count = 600 }).ResponseAsync)).StatusCode);
        Assert.Equal(
            StatusCode.ResourceExhausted,
            (await Assert.ThrowsAsync<RpcException>(
                () => server.Client.UnaryAsync(new ProbeRequest { Text = "longer than ten" }).ResponseAsync)).StatusCode);
    }

    [Fact]
    public async Task Client_limits_what_it_sends_and_receives()
    {
        await using var server = await TestServer.StartAsync();
        using var channel = server.CreateChannel(new GrpcChannelOptions { MaxSendMessageSize = 100, MaxReceiveMessageSize = 200 });
        var client = new Probe.ProbeClient(channel);
        var e = await Assert.ThrowsAsync<RpcException>(
            () => client.UnaryAsync(new ProbeRequest { Text = new string('a', 200) }).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);

        e = await Assert.ThrowsAsync<RpcException>(
            () => new Limited.LimitedClient(channel).EchoAsync(new ProbeRequest { Count = 300 }).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);

        using var call = client.ClientStream();
        await call.RequestStream.WriteAsync(new ProbeRequest { Text = "ok" });
        e = await Assert.ThrowsAsync<RpcException>(
            () => call.RequestStream.WriteAsync(new ProbeRequest { Text = new string('a', 200) }));
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
    }

    [Fact]
    public void Options_remember_that_a_limit_was_set_to_none()
    {
        var options = new GrpcServiceOptions();
        Assert.False(options.MaxReceiveMessageSizeSpecified);
        options.MaxReceiveMessageSize = null;
        Assert.True(options.MaxReceiveMessageSizeSpecified);
        Assert.False(options.MaxSendMessageSizeSpecified);
    }
}
