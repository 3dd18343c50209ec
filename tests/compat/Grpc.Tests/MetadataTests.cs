using System.Globalization;
using Grpc.Core;
using Grpc.Tests.Proto;
using Grpc.Tests.Support;

namespace Grpc.Tests;

/// <summary>Headers and trailers, both ways.</summary>
public sealed class MetadataTests
{
    [Fact]
    public async Task Request_headers_reach_the_handler_with_binary_ones_decoded()
    {
        await using var server = await TestServer.StartAsync();
        var headers = new Metadata { { "Probe-Text", "some text" }, { ProbeService.BinaryKey, [0, 255, 17] } };
        var reply = await server.Client.UnaryAsync(new ProbeRequest { Act = "headers" }, headers);
        Assert.Equal("some text", reply.Seen["probe-text"]);
        Assert.Equal("00FF11", reply.Seen[ProbeService.BinaryKey]);
        Assert.StartsWith("grpc-dotnet/", reply.Seen["user-agent"], StringComparison.Ordinal);
        Assert.DoesNotContain("te", reply.Seen.Keys);
        Assert.DoesNotContain("content-type", reply.Seen.Keys);
        Assert.DoesNotContain("grpc-accept-encoding", reply.Seen.Keys);
    }

    [Fact]
    public async Task Call_context_knows_method_host_peer_and_protocol()
    {
        await using var server = await TestServer.StartAsync();
        var reply = await server.Client.UnaryAsync(new ProbeRequest { Act = "headers" });
        Assert.Equal("/nearline.grpc.tests.Probe/Unary", reply.Seen["#method"]);
        Assert.Equal(server.Address.Authority, reply.Seen["#host"]);
        Assert.StartsWith("ipv4:127.0.0.1:", reply.Seen["#peer"], StringComparison.Ordinal);
        Assert.Equal("HTTP/2", reply.Seen["#protocol"]);
        Assert.Equal("False", reply.Seen["#authenticated"]);
        Assert.Equal("none", reply.Seen["#deadline"]);
        Assert.Equal("trailers", reply.Seen["#raw-te"]);
        Assert.Contains("gzip", reply.Seen["#raw-accept"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AAE=")]
    [InlineData("AAE")]
    public async Task Binary_headers_come_padded_or_not(string value)
    {
        await using var server = await TestServer.StartAsync();
        var request = new ProbeRequest { Act = "headers" };
        var response = await RawCall.SendAsync(
            server.Address, "/nearline.grpc.tests.Probe/Unary", Frame.Of(Google.Protobuf.MessageExtensions.ToByteArray(request)),
            headers: (ProbeService.BinaryKey, value));
        Assert.Equal("0", response.Status);
        var reply = ProbeReply.Parser.ParseFrom(Frame.Single(response.Body).Payload);
        Assert.Equal("0001", reply.Seen[ProbeService.BinaryKey]);
    }

    [Fact]
    public async Task Response_headers_arrive_before_the_answer()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.Duplex();
        await call.RequestStream.WriteAsync(new ProbeRequest { Act = "response-headers" });
        var headers = await call.ResponseHeadersAsync;
        Assert.Equal("early", headers.GetValue("probe-header"));
        Assert.Equal(new byte[] { 0, 1, 254, 255 }, headers.GetValueBytes(ProbeService.BinaryKey));
        Assert.Throws<InvalidOperationException>(() => call.GetStatus());
        Assert.Throws<InvalidOperationException>(() => call.GetTrailers());
        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.False(await call.ResponseStream.MoveNext(default));
    }

    [Fact]
    public async Task Response_headers_can_be_sent_once()
    {
        await using var server = await TestServer.StartAsync();
        var e = await Assert.ThrowsAsync<RpcException>(
            () => server.Client.UnaryAsync(new ProbeRequest { Act = "headers-twice" }).ResponseAsync);
        Assert.Equal(StatusCode.Unknown, e.StatusCode);
        Assert.Contains(server.Logs.Entries, l => l.Exception is InvalidOperationException);
    }

    [Fact]
    public async Task Trailers_arrive_with_a_unary_answer()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.UnaryAsync(new ProbeRequest { Act = "trailers" });
        await call;
        Assert.Equal("late", call.GetTrailers().GetValue("probe-trailer"));
        Assert.Equal(new byte[] { 3, 2, 1, 0, 200 }, call.GetTrailers().GetValueBytes(ProbeService.BinaryKey));
        Assert.Null(call.GetTrailers().Get("grpc-status"));
    }

    [Fact]
    public async Task Trailers_arrive_after_a_stream()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.ServerStream(new ProbeRequest { Act = "trailers", Count = 3 });
        Assert.Equal(3, await call.ResponseStream.ReadAllAsync().CountAsync());
        Assert.Equal("late", call.GetTrailers().GetValue("probe-trailer"));
    }

    [Fact]
    public async Task Deadline_reaches_the_handler()
    {
        await using var server = await TestServer.StartAsync();
        var reply = await server.Client.UnaryAsync(new ProbeRequest { Act = "headers" }, deadline: DateTime.UtcNow.AddSeconds(30));
        Assert.InRange(double.Parse(reply.Seen["#deadline"], CultureInfo.InvariantCulture), 20, 30.1);
    }

    [Fact]
    public void Metadata_keys_are_lower_case_and_checked()
    {
        var metadata = new Metadata { { "ABC", "1" }, { "abc", "2" } };
        Assert.Equal("abc", metadata[0].Key);
        Assert.Equal("2", metadata.GetValue("Abc"));
        Assert.Equal(["1", "2"], metadata.GetAll("abc").Select(e => e.Value));
        Assert.Throws<ArgumentException>(() => metadata.Add("has space", "x"));
        Assert.Throws<ArgumentException>(() => metadata.Add("text-bin", "x"));
        Assert.Throws<ArgumentException>(() => metadata.Add("bytes", [1]));
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add("a", "b"));
        Assert.Throws<InvalidOperationException>(() => new Metadata.Entry("a-bin", [1]).Value);
    }
}
