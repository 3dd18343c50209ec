using Google.Protobuf;
using Grpc.Core;
using Grpc.Tests.Proto;
using Grpc.Tests.Support;

namespace Grpc.Tests;

/// <summary>gzip both ways.</summary>
public sealed class CompressionTests
{
    private const string Path = "/nearline.grpc.tests.Probe/Unary";
    private static readonly ByteString Zeros = ByteString.CopyFrom(new byte[20_000]);

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Client_compresses_requests_on_demand(string encoding)
    {
        await using var server = await TestServer.StartAsync();
        var headers = new Metadata { { "grpc-internal-encoding-request", encoding } };
        var reply = await server.Client.UnaryAsync(new ProbeRequest { Act = "headers", Payload = Zeros }, headers);
        Assert.Equal(encoding, reply.Seen["#raw-encoding"]);
        Assert.Equal(Zeros, reply.Payload);
        Assert.DoesNotContain("grpc-internal-encoding-request", reply.Seen.Keys);
    }

    [Fact]
    public async Task Server_compresses_responses_to_clients_that_accept_it()
    {
        await using var server = await TestServer.StartAsync(o => o.ResponseCompressionAlgorithm = "gzip");
        var body = Frame.Of(new ProbeRequest { Payload = Zeros }.ToByteArray());
        var raw = await RawCall.SendAsync(server.Address, Path, body, headers: ("grpc-accept-encoding", "identity, gzip"));
        Assert.Equal("gzip", raw.Headers["grpc-encoding"]);
        var (flag, payload) = Frame.Single(raw.Body);
        Assert.Equal(1, flag);
        Assert.True(payload.Length < 1000, $"{payload.Length} bytes for 20000 zeros");
        Assert.Equal(Zeros, ProbeReply.Parser.ParseFrom(Frame.Gunzip(payload)).Payload);

        // A client that does not accept it gets the same plain.
        raw = await RawCall.SendAsync(server.Address, Path, body, headers: ("grpc-accept-encoding", "identity,deflate"));
        Assert.Equal(0, Frame.Single(raw.Body).Flag);

        Assert.Equal(Zeros, (await server.Client.UnaryAsync(new ProbeRequest { Payload = Zeros })).Payload);
        using var stream = server.Client.ServerStream(new ProbeRequest { Payload = Zeros, Count = 5 });
        Assert.Equal(5, await stream.ResponseStream.ReadAllAsync().CountAsync(r => r.Payload == Zeros));
    }

    [Fact]
    public async Task Handler_can_leave_a_message_uncompressed()
    {
        await using var server = await TestServer.StartAsync(o => o.ResponseCompressionAlgorithm = "gzip");
        var body = Frame.Of(new ProbeRequest { Payload = Zeros, Act = "no-compress" }.ToByteArray());
        var raw = await RawCall.SendAsync(server.Address, Path, body, headers: ("grpc-accept-encoding", "gzip"));
        Assert.Equal(0, Frame.Single(raw.Body).Flag);
    }

    [Fact]
    public async Task Handler_can_ask_for_compression_of_its_response()
    {
        await using var server = await TestServer.StartAsync();
        var body = Frame.Of(new ProbeRequest { Payload = Zeros, Act = "respond-gzip" }.ToByteArray());
        var raw = await RawCall.SendAsync(server.Address, Path, body, headers: ("grpc-accept-encoding", "gzip"));
        Assert.Equal("gzip", raw.Headers["grpc-encoding"]);
        Assert.Equal(1, Frame.Single(raw.Body).Flag);
    }

    [Fact]
    public async Task Server_decompresses_a_gzipped_request_made_by_hand()
    {
        await using var server = await TestServer.StartAsync();
        var body = Frame.Gzipped(new ProbeRequest { Text = "zip" }.ToByteArray());
        var raw = await RawCall.SendAsync(server.Address, Path, body, headers: ("grpc-encoding", "gzip"));
        Assert.Equal("0", raw.Status);
        Assert.Equal("re:zip", ProbeReply.Parser.ParseFrom(Frame.Single(raw.Body).Payload).Text);
    }

    [Fact]
    public async Task Unknown_encoding_is_unimplemented_and_the_known_ones_are_listed()
    {
        await using var server = await TestServer.StartAsync();
        var raw = await RawCall.SendAsync(server.Address, Path, Frame.Of([1, 2], flag: 1), headers: ("grpc-encoding", "snappy"));
        Assert.Equal("12", raw.Status);
        Assert.Contains("snappy", raw.Message, StringComparison.Ordinal);
        Assert.Contains("gzip", raw.Headers["grpc-accept-encoding"], StringComparison.Ordinal);
        Assert.Contains("identity", raw.Headers["grpc-accept-encoding"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("identity")]
    public async Task Compressed_flag_without_an_encoding_is_an_error(string? encoding)
    {
        await using var server = await TestServer.StartAsync();
        (string, string)[] headers = encoding is null ? [] : [("grpc-encoding", encoding)];
        var raw = await RawCall.SendAsync(server.Address, Path, Frame.Gzipped([]), headers: headers);
        Assert.Equal("13", raw.Status);
    }

    [Fact]
    public async Task Decompression_stops_at_the_size_limit()
    {
        await using var server = await TestServer.StartAsync(o => o.MaxReceiveMessageSize = 10_000);
        var headers = new Metadata { { "grpc-internal-encoding-request", "gzip" } };
        var e = await Assert.ThrowsAsync<RpcException>(
            () => server.Client.UnaryAsync(new ProbeRequest { Payload = Zeros }, headers).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
    }

    [Fact]
    public async Task Unknown_response_algorithm_fails_at_start()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => TestServer.StartAsync(o => o.ResponseCompressionAlgorithm = "snappy"));
    }

    [Fact]
    public async Task Client_that_asks_for_an_unknown_encoding_is_told()
    {
        await using var server = await TestServer.StartAsync();
        var e = await Record.ExceptionAsync(
            () => server.Client.UnaryAsync(new ProbeRequest(), new Metadata { { "grpc-internal-encoding-request", "snappy" } }).ResponseAsync);
        Assert.True(e is InvalidOperationException or RpcException { StatusCode: StatusCode.Internal }, $"{e}");
        Assert.Contains("snappy", e.ToString(), StringComparison.Ordinal);
    }
}
