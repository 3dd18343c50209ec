using Google.Protobuf;
using Grpc.Core;
using Grpc.Tests.Proto;
using Grpc.Tests.Support;

namespace Grpc.Tests;

/// <summary>The four kinds of calls between client and server.</summary>
public sealed class CallKindTests
{
    [Fact]
    public async Task Unary_call_returns_the_answer_with_status_ok()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.UnaryAsync(new ProbeRequest { Text = "hi", Count = 7, Payload = ByteString.CopyFrom(1, 2, 3) });
        var reply = await call;
        Assert.Equal("re:hi", reply.Text);
        Assert.Equal(7, reply.Count);
        Assert.Equal(new byte[] { 1, 2, 3 }, reply.Payload.ToByteArray());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Empty(call.GetTrailers());
    }

    [Fact]
    public async Task Blocking_unary_call_returns_the_answer()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal("re:hi", server.Client.Unary(new ProbeRequest { Text = "hi" }).Text);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    public async Task Server_stream_delivers_every_message_in_order(int count)
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.ServerStream(new ProbeRequest { Text = "s", Count = count });
        var seen = new List<int>();
        await foreach (var reply in call.ResponseStream.ReadAllAsync())
        {
            seen.Add(reply.Count);
        }

        Assert.Equal(Enumerable.Range(0, count), seen);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.False(await call.ResponseStream.MoveNext(default));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(500)]
    public async Task Client_stream_delivers_every_message_in_order(int count)
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.ClientStream();
        for (var i = 0; i < count; i++)
        {
            await call.RequestStream.WriteAsync(new ProbeRequest { Text = $"{i}" });
        }

        await call.RequestStream.CompleteAsync();
        var reply = await call;
        Assert.Equal(count, reply.Count);
        Assert.Equal(string.Join(',', Enumerable.Range(0, count)), reply.Text);
    }

    [Fact]
    public async Task Duplex_stream_goes_back_and_forth()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.Duplex();
        for (var i = 0; i < 100; i++)
        {
            await call.RequestStream.WriteAsync(new ProbeRequest { Text = $"{i}" });
            Assert.True(await call.ResponseStream.MoveNext(default));
            Assert.Equal($"re:{i}", call.ResponseStream.Current.Text);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }
}
