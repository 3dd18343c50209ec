using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Tests.Proto;
using Grpc.Tests.Support;

namespace Grpc.Tests;

/// <summary>The client against responses made by hand.</summary>
public sealed class ClientProtocolTests
{
    private static readonly byte[] Reply = Frame.Of(new ProbeReply { Text = "canned" }.ToByteArray());

    [Fact]
    public async Task Request_is_as_the_protocol_says()
    {
        using var handler = new FakeHandler(_ => FakeHandler.Response(Reply));
        var reply = await Client(handler).UnaryAsync(
            new ProbeRequest { Text = "x" },
            new Metadata { { "probe-bin", [1, 2, 3, 4] } },
            deadline: DateTime.UtcNow.AddSeconds(20));
        Assert.Equal("canned", reply.Text);
        var request = handler.Request!;
        Assert.Equal(HttpMethod.Post, request.Method);
        Assert.Equal("http://fake/nearline.grpc.tests.Probe/Unary", request.RequestUri!.ToString());
        Assert.Equal(HttpVersion.Version20, request.Version);
        Assert.Equal("application/grpc", request.Content!.Headers.ContentType!.ToString());
        Assert.Equal("trailers", request.Headers.TE.ToString());
        Assert.Equal("AQIDBA==", Assert.Single(request.Headers.GetValues("probe-bin")));
        Assert.Matches("^[0-9]{1,8}m$", Assert.Single(request.Headers.GetValues("grpc-timeout")));
        var (flag, payload) = Frame.Single(handler.Body);
        Assert.Equal(0, flag);
        Assert.Equal(new ProbeRequest { Text = "x" }, ProbeRequest.Parser.ParseFrom(payload));
    }

    [Fact]
    public async Task Compressed_request_has_the_flag_and_the_bytes()
    {
        using var handler = new FakeHandler(_ => FakeHandler.Response(Reply));
        var request = new ProbeRequest { Text = new string('a', 1000) };
        await Client(handler).UnaryAsync(request, new Metadata { { "grpc-internal-encoding-request", "gzip" } });
        var (flag, payload) = Frame.Single(handler.Body);
        Assert.Equal(1, flag);
        Assert.Equal(request, ProbeRequest.Parser.ParseFrom(Frame.Gunzip(payload)));
        Assert.Equal("gzip", Assert.Single(handler.Request!.Headers.GetValues("grpc-encoding")));
        Assert.False(handler.Request.Headers.Contains("grpc-internal-encoding-request"));

        await Client(handler).UnaryAsync(
            request,
            new CallOptions(
                new Metadata { { "grpc-internal-encoding-request", "gzip" } },
                writeOptions: new WriteOptions(WriteFlags.NoCompress)));
        Assert.Equal(0, Frame.Single(handler.Body).Flag);
    }

    [Fact]
    public async Task Compressed_response_is_read()
    {
        using var handler = new FakeHandler(_ => FakeHandler.Response(
            Frame.Gzipped(new ProbeReply { Text = "zip" }.ToByteArray()), encoding: "gzip"));
        Assert.Equal("zip", (await Client(handler).UnaryAsync(new ProbeRequest())).Text);
    }

    [Fact]
    public async Task Trailers_only_response_gives_status_and_trailers()
    {
        using var handler = new FakeHandler(_ =>
        {
            var response = FakeHandler.Response([], status: null);
            response.Headers.Add("grpc-status", "7");
            response.Headers.Add("grpc-message", "no%20entry");
            response.Headers.Add("probe", "value");
            return response;
        });
        using var call = Client(handler).UnaryAsync(new ProbeRequest());
        var e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(new Status(StatusCode.PermissionDenied, "no entry"), e.Status);
        Assert.Equal("value", e.Trailers.GetValue("probe"));
        Assert.Equal("value", call.GetTrailers().GetValue("probe"));
        await call.ResponseHeadersAsync;
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest, StatusCode.Internal)]
    [InlineData(HttpStatusCode.Unauthorized, StatusCode.Unauthenticated)]
    [InlineData(HttpStatusCode.Forbidden, StatusCode.PermissionDenied)]
    [InlineData(HttpStatusCode.NotFound, StatusCode.Unimplemented)]
    [InlineData(HttpStatusCode.TooManyRequests, StatusCode.Unavailable)]
    [InlineData(HttpStatusCode.BadGateway, StatusCode.Unavailable)]
    [InlineData(HttpStatusCode.ServiceUnavailable, StatusCode.Unavailable)]
    [InlineData(HttpStatusCode.GatewayTimeout, StatusCode.Unavailable)]
    [InlineData(HttpStatusCode.Conflict, StatusCode.Unknown)]
    public async Task Http_errors_become_statuses(HttpStatusCode http, StatusCode code)
    {
        using var handler = new FakeHandler(_ => new HttpResponseMessage(http)
        {
            Version = HttpVersion.Version20,
            Content = new StringContent("proxy says no"),
        });
        var e = await Assert.ThrowsAsync<RpcException>(() => Client(handler).UnaryAsync(new ProbeRequest()).ResponseAsync);
        Assert.Equal(code, e.StatusCode);
        Assert.Contains($"{(int)http}", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_content_type_is_no_grpc()
    {
        using var handler = new FakeHandler(_ => new HttpResponseMessage(HttpStatusCode.OK)
        {
            Version = HttpVersion.Version20,
            Content = new StringContent("<html/>", System.Text.Encoding.UTF8, "text/html"),
        });
        var e = await Assert.ThrowsAsync<RpcException>(() => Client(handler).UnaryAsync(new ProbeRequest()).ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        Assert.Contains("text/html", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Downgrade_to_http_1_is_no_grpc()
    {
        using var handler = new FakeHandler(_ =>
        {
            var response = FakeHandler.Response(Reply);
            response.Version = HttpVersion.Version11;
            return response;
        });
        var e = await Assert.ThrowsAsync<RpcException>(() => Client(handler).UnaryAsync(new ProbeRequest()).ResponseAsync);
        Assert.Equal(StatusCode.Internal, e.StatusCode);
        Assert.Contains("HTTP/1.1", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Response_without_a_status_is_no_success()
    {
        using var handler = new FakeHandler(_ => FakeHandler.Response(Reply, status: null));
        var e = await Assert.ThrowsAsync<RpcException>(() => Client(handler).UnaryAsync(new ProbeRequest()).ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 1, 0, 0, 0, 0 })]
    public async Task Malformed_responses_are_internal_errors(byte[] body)
    {
        using var handler = new FakeHandler(_ => FakeHandler.Response(body));
        var e = await Assert.ThrowsAsync<RpcException>(() => Client(handler).UnaryAsync(new ProbeRequest()).ResponseAsync);
        Assert.Equal(StatusCode.Internal, e.StatusCode);
    }

    [Fact]
    public async Task Status_of_an_answer_wins_over_its_message()
    {
        using var handler = new FakeHandler(_ => FakeHandler.Response(Reply, "10", "not%zz%41"));
        var e = await Assert.ThrowsAsync<RpcException>(() => Client(handler).UnaryAsync(new ProbeRequest()).ResponseAsync);
        Assert.Equal(StatusCode.Aborted, e.StatusCode);
        Assert.Equal("not%zzA", e.Status.Detail);
    }

    [Fact]
    public async Task Refused_connection_is_unavailable_and_says_so()
    {
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{FreePort()}");
        var client = new Probe.ProbeClient(channel);
        var e = await Assert.ThrowsAsync<RpcException>(() => client.UnaryAsync(new ProbeRequest()).ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        Assert.Contains("refused", e.Status.Detail, StringComparison.OrdinalIgnoreCase);
        Assert.NotNull(e.Status.DebugException);

        using var upload = client.ClientStream();
        e = await Assert.ThrowsAsync<RpcException>(() => upload.RequestStream.WriteAsync(new ProbeRequest()));
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        e = await Assert.ThrowsAsync<RpcException>(() => upload.ResponseHeadersAsync);
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
    }

    [Fact]
    public async Task Server_that_dies_during_a_call_is_unavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        using var call = new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest());
        using (var connection = await listener.AcceptTcpClientAsync())
        {
            await connection.GetStream().ReadExactlyAsync(new byte[24]); // the client's preface
        }

        var e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Channel_disposes_a_given_handler_only_on_request(bool dispose)
    {
        using var handler = new FakeHandler(_ => FakeHandler.Response(Reply));
        GrpcChannel.ForAddress("http://fake", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = dispose }).Dispose();
        Assert.Equal(dispose, handler.IsDisposed);
    }

    [Fact]
    public async Task Given_http_client_is_used()
    {
        await using var server = await TestServer.StartAsync();
        using var http = new HttpClient();
        using var channel = server.CreateChannel(new GrpcChannelOptions { HttpClient = http });
        using var call = new Probe.ProbeClient(channel).Duplex();
        await call.RequestStream.WriteAsync(new ProbeRequest { Text = "x" });
        Assert.True(await call.ResponseStream.MoveNext(default));
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
    }

    [Fact]
    public void Contradictions_in_options_are_refused()
    {
        using var handler = new FakeHandler(_ => FakeHandler.Response(Reply));
        using var http = new HttpClient();
        Assert.ThrowsAny<ArgumentException>(
            () => GrpcChannel.ForAddress("http://fake", new GrpcChannelOptions { HttpHandler = handler, HttpClient = http }));
        Assert.Throws<InvalidOperationException>(
            () => GrpcChannel.ForAddress("http://fake", new GrpcChannelOptions { Credentials = ChannelCredentials.SecureSsl, HttpHandler = handler }));
        Assert.Throws<InvalidOperationException>(
            () => GrpcChannel.ForAddress("https://fake", new GrpcChannelOptions { Credentials = ChannelCredentials.Insecure, HttpHandler = handler }));
        Assert.Throws<InvalidOperationException>(() => GrpcChannel.ForAddress("ftp://fake"));
        Assert.Equal("fake:81", GrpcChannel.ForAddress("http://fake:81").Target);
    }

    [Fact]
    public async Task Call_credentials_add_headers_on_secure_channels()
    {
        using var handler = new FakeHandler(_ => FakeHandler.Response(Reply));
        var credentials = CallCredentials.FromInterceptor((context, metadata) =>
        {
            metadata.Add("authorization", $"{context.MethodName}@{context.ServiceUrl}");
            return Task.CompletedTask;
        });
        using var secure = GrpcChannel.ForAddress(
            "https://fake",
            new GrpcChannelOptions { HttpHandler = handler, Credentials = ChannelCredentials.Create(ChannelCredentials.SecureSsl, credentials) });
        await new Probe.ProbeClient(secure).UnaryAsync(new ProbeRequest());
        Assert.Equal("Unary@https://fake/nearline.grpc.tests.Probe", Assert.Single(handler.Request!.Headers.GetValues("authorization")));

        await Client(handler).UnaryAsync(new ProbeRequest(), new CallOptions(credentials: credentials));
        Assert.False(handler.Request.Headers.Contains("authorization"));
    }

    [Fact]
    public async Task One_write_and_one_read_at_a_time()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.Duplex();
        var read = call.ResponseStream.MoveNext(default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.ResponseStream.MoveNext(default));
        await call.RequestStream.WriteAsync(new ProbeRequest());
        Assert.True(await read);
        await call.RequestStream.CompleteAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new ProbeRequest()));
    }

    [Fact]
    public async Task Call_that_waits_for_ready_outlives_refused_connections()
    {
        var port = FreePort();
        using var channel = GrpcChannel.ForAddress(
            $"http://127.0.0.1:{port}", new GrpcChannelOptions { InitialReconnectBackoff = TimeSpan.FromMilliseconds(50) });
        var client = new Probe.ProbeClient(channel);
        var options = new CallOptions(deadline: DateTime.UtcNow.AddSeconds(20)).WithWaitForReady();
        using var unary = client.UnaryAsync(new ProbeRequest { Text = "patient" }, options);
        using var duplex = client.Duplex(options);
        await Task.WhenAny(unary.ResponseAsync, Task.Delay(200));
        Assert.False(unary.ResponseAsync.IsCompleted);
        await using var server = await TestServer.StartAsync(port: port);
        Assert.Equal("re:patient", (await unary).Text);
        await duplex.RequestStream.WriteAsync(new ProbeRequest { Text = "too" });
        Assert.True(await duplex.ResponseStream.MoveNext(default));
        Assert.Equal("re:too", duplex.ResponseStream.Current.Text);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static Probe.ProbeClient Client(HttpMessageHandler handler) =>
        new(GrpcChannel.ForAddress("http://fake", new GrpcChannelOptions { HttpHandler = handler }));
}
