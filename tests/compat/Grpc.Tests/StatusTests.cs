using Google.Protobuf;
using Grpc.Core;
using Grpc.Tests.Proto;
using Grpc.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Grpc.Tests;

/// <summary>How calls end other than well.</summary>
public sealed class StatusTests
{
    [Fact]
    public async Task Rpc_exception_of_a_handler_brings_code_detail_and_both_sets_of_trailers()
    {
        await using var server = await TestServer.StartAsync();
        var e = await Assert.ThrowsAsync<RpcException>(
            () => server.Client.UnaryAsync(new ProbeRequest { Act = "rpc-exception" }).ResponseAsync);
        Assert.Equal(StatusCode.NotFound, e.StatusCode);
        Assert.Equal("no such thing: 日本", e.Status.Detail);
        Assert.Equal("from context", e.Trailers.GetValue("probe-trailer"));
        Assert.Equal("yes", e.Trailers.GetValue("probe-error"));
        Assert.Equal(new byte[] { 8, 5, 18, 0 }, e.Trailers.GetValueBytes("grpc-status-details-bin"));
        Assert.Contains(server.Logs.Entries, l => l.Level == LogLevel.Information && l.Id.Name == "RpcConnectionError");
    }

    [Fact]
    public async Task Status_text_is_percent_encoded_on_the_wire()
    {
        await using var server = await TestServer.StartAsync();
        var request = new ProbeRequest { Act = "status" };
        var raw = await RawCall.SendAsync(server.Address, "/nearline.grpc.tests.Probe/Unary", Frame.Of(request.ToByteArray()));
        Assert.Equal("9", raw.Status);
        Assert.Equal("100%25 falsch: %C3%BC%0A", raw.Message);

        var e = await Assert.ThrowsAsync<RpcException>(() => server.Client.UnaryAsync(request).ResponseAsync);
        Assert.Equal("100% falsch: ü\n", e.Status.Detail);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Other_exceptions_are_unknown_with_details_only_on_request(bool? detailed)
    {
        await using var server = await TestServer.StartAsync(o => o.EnableDetailedErrors = detailed);
        var e = await Assert.ThrowsAsync<RpcException>(
            () => server.Client.UnaryAsync(new ProbeRequest { Act = "exception" }).ResponseAsync);
        Assert.Equal(StatusCode.Unknown, e.StatusCode);
        Assert.Equal(
            detailed is true
                ? "Exception was thrown by handler. InvalidOperationException: secret FormatException: deeper"
                : "Exception was thrown by handler.",
            e.Status.Detail);
        var entry = Assert.Single(server.Logs.Entries, l => l.Level == LogLevel.Error);
        Assert.Equal("Grpc.AspNetCore.Server.ServerCallHandler", entry.Category);
        Assert.IsType<InvalidOperationException>(entry.Exception);
    }

    [Fact]
    public async Task Error_after_messages_of_a_stream_comes_after_them()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.ServerStream(new ProbeRequest { Act = "fail-late", Count = 2 });
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.True(await call.ResponseStream.MoveNext(default));
        var e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.Aborted, e.StatusCode);
        Assert.Equal("late", call.GetStatus().Detail);
    }

    [Fact]
    public async Task Error_in_a_client_stream_ends_it()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.ClientStream();
        await call.RequestStream.WriteAsync(new ProbeRequest { Act = "rpc-exception" });
        var e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.NotFound, e.StatusCode);
        Assert.Equal(StatusCode.NotFound, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Server_may_answer_before_a_client_stream_ends()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.ClientStream();
        await call.RequestStream.WriteAsync(new ProbeRequest { Text = "a" });
        await call.RequestStream.WriteAsync(new ProbeRequest { Act = "early" });
        Assert.Equal("a", (await call).Text);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new ProbeRequest()));
    }

    [Fact]
    public async Task No_answer_from_a_unary_handler_is_cancelled()
    {
        await using var server = await TestServer.StartAsync();
        var e = await Assert.ThrowsAsync<RpcException>(
            () => server.Client.UnaryAsync(new ProbeRequest { Act = "null" }).ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        Assert.Equal("No message returned from method.", e.Status.Detail);
    }

    [Fact]
    public async Task Method_that_the_service_does_not_override_is_unimplemented()
    {
        await using var server = await TestServer.StartAsync();
        var e = await Assert.ThrowsAsync<RpcException>(() => server.Client.MissingAsync(new ProbeRequest()).ResponseAsync);
        Assert.Equal(StatusCode.Unimplemented, e.StatusCode);
    }

    [Theory]
    [InlineData("nearline.grpc.tests.Probe", "Method is unimplemented.")]
    [InlineData("nearline.grpc.tests.Nobody", "Service is unimplemented.")]
    public async Task Unknown_methods_and_services_are_unimplemented(string service, string detail)
    {
        await using var server = await TestServer.StartAsync();
        var method = new Method<string, string>(
            MethodType.Unary, service, "Nothing", Marshallers.StringMarshaller, Marshallers.StringMarshaller);
        using var call = server.Channel.CreateCallInvoker().AsyncUnaryCall(method, null, default, "x");
        var e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.Unimplemented, e.StatusCode);
        Assert.Equal(detail, e.Status.Detail);
    }

    [Fact]
    public async Task Unknown_services_are_left_to_others_on_request()
    {
        await using var server = await TestServer.StartAsync(o => o.IgnoreUnknownServices = true);
        var raw = await RawCall.SendAsync(server.Address, "/nearline.grpc.tests.Nobody/Nothing", Frame.Of([]));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, raw.Http);
        Assert.Null(raw.Status);
    }

    [Fact]
    public async Task Trailer_that_cannot_be_sent_is_an_error_not_silence()
    {
        await using var server = await TestServer.StartAsync();
        var e = await Assert.ThrowsAsync<RpcException>(
            () => server.Client.UnaryAsync(new ProbeRequest { Act = "bad-trailer" }).ResponseAsync);
        Assert.NotEqual(StatusCode.OK, e.StatusCode);
        Assert.Contains(server.Logs.Entries, l => l.Level == LogLevel.Error);
    }
}
