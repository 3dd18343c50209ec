using System.Diagnostics;
using System.Net;
using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Grpc.Tests.Proto;
using Grpc.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.Tests;

/// <summary>The server against requests made by hand.</summary>
public sealed class ServerProtocolTests
{
    private const string Path = "/nearline.grpc.tests.Probe/Unary";

    [Theory]
    [InlineData("application/grpc")]
    [InlineData("application/grpc+proto")]
    [InlineData("application/grpc; charset=utf-8")]
    public async Task Content_types_of_grpc_are_served(string contentType)
    {
        await using var server = await TestServer.StartAsync();
        var raw = await RawCall.SendAsync(
            server.Address, Path, Frame.Of(new ProbeRequest { Text = "x" }.ToByteArray()), contentType);
        Assert.Equal(HttpStatusCode.OK, raw.Http);
        Assert.Equal("application/grpc", raw.ContentType);
        Assert.Equal("0", raw.Trailers["grpc-status"]);
        Assert.False(raw.Headers.ContainsKey("grpc-status"));
        Assert.Equal("re:x", ProbeReply.Parser.ParseFrom(Frame.Single(raw.Body).Payload).Text);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/grpcx")]
    [InlineData(null)]
    public async Task Other_content_types_are_refused(string? contentType)
    {
        await using var server = await TestServer.StartAsync();
        var raw = await RawCall.SendAsync(server.Address, Path, Frame.Of([]), contentType);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, raw.Http);
    }

    [Fact]
    public async Task Http_1_is_refused_by_name()
    {
        await using var server = await TestServer.StartAsync();
        var raw = await RawCall.SendAsync(server.Http1Address, Path, Frame.Of([]), version: HttpVersion.Version11);
        Assert.Equal(HttpStatusCode.UpgradeRequired, raw.Http);
        Assert.Contains("HTTP/1.1", raw.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Error_without_messages_is_a_trailers_only_response()
    {
        await using var server = await TestServer.StartAsync();
        var raw = await RawCall.SendAsync(
            server.Address, Path, Frame.Of(new ProbeRequest { Act = "rpc-exception" }.ToByteArray()));
        Assert.Equal("5", raw.Headers["grpc-status"]);
        Assert.Equal("yes", raw.Headers["probe-error"]);
        Assert.Empty(raw.Trailers);
        Assert.Empty(raw.Body);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1 })]
    public async Task Incomplete_messages_are_internal_errors(byte[] body)
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal("13", (await RawCall.SendAsync(server.Address, Path, body)).Status);
    }

    [Fact]
    public async Task Second_message_of_a_unary_call_is_an_internal_error()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal("13", (await RawCall.SendAsync(server.Address, Path, [.. Frame.Of([]), .. Frame.Of([])])).Status);
    }

    [Fact]
    public async Task Unknown_flag_is_an_internal_error()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal("13", (await RawCall.SendAsync(server.Address, Path, Frame.Of([], flag: 2))).Status);
    }

    [Fact]
    public async Task Endpoints_say_which_method_they_serve()
    {
        await using var server = await TestServer.StartAsync(
            map: app => app.MapGrpcService<TaggedService>().WithMetadata("convention"));
        var endpoint = server.Services.GetRequiredService<EndpointDataSource>().Endpoints
            .Single(e => e.Metadata.GetMetadata<GrpcMethodMetadata>()?.ServiceType == typeof(TaggedService));
        Assert.Equal("/nearline.grpc.tests.Limited/Echo", endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()!.Method.FullName);
        Assert.Equal(["POST"], endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods);
        Assert.Equal("convention", endpoint.Metadata.GetMetadata<string>());
        Assert.NotNull(endpoint.Metadata.GetMetadata<TagAttribute>());
        Assert.Contains("gRPC", endpoint.DisplayName, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Activity_of_the_request_is_tagged_with_method_and_status()
    {
        var stopped = new System.Collections.Concurrent.ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var server = await TestServer.StartAsync();
        using var parent = new Activity("test").Start();
        await RawCall.SendAsync(server.Address, Path, Frame.Of(new ProbeRequest { Act = "rpc-exception" }.ToByteArray()));
        await server.StopAsync();
        var activity = Assert.Single(stopped, a => a.TraceId == parent.TraceId && a.Kind == ActivityKind.Server);
        Assert.Equal(Path, activity.GetTagItem("grpc.method"));
        Assert.Equal("5", activity.GetTagItem("grpc.status_code"));
    }

    [Fact]
    public void Mapping_without_services_says_what_is_missing()
    {
        var app = WebApplication.CreateSlimBuilder().Build();
        var e = Assert.Throws<InvalidOperationException>(() => app.MapGrpcService<LimitedService>());
        Assert.Contains("AddGrpc", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_call_gets_its_service_from_its_own_scope()
    {
        await using var server = await TestServer.StartAsync(services: s => s.AddScoped<Scoped>(), map: app => app.MapGrpcService<ScopedService>());
        var raw = await RawCall.SendAsync(server.Address, "/scoped/Count", Frame.Of([]));
        Assert.Equal("0", raw.Status);
        raw = await RawCall.SendAsync(server.Address, "/scoped/Count", Frame.Of([]));
        Assert.Equal("1", System.Text.Encoding.UTF8.GetString(Frame.Single(raw.Body).Payload));
        Assert.Equal(2, Scoped.Disposed);
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class TagAttribute : Attribute;

    private sealed class TaggedService : Limited.LimitedBase
    {
        [Tag]
        public override Task<ProbeReply> Echo(ProbeRequest request, Core.ServerCallContext context) => Task.FromResult(new ProbeReply());
    }

    internal sealed class Scoped : IDisposable
    {
        private static int disposed;
        private int uses;

        public static int Disposed => disposed;

        public int Use() => ++uses;

        public void Dispose() => Interlocked.Increment(ref disposed);
    }

    [Core.BindServiceMethod(typeof(ScopedServiceBase), "Bind")]
    internal abstract class ScopedServiceBase
    {
        private static readonly Core.Method<string, string> CountMethod = new(
            Core.MethodType.Unary, "scoped", "Count", Core.Marshallers.StringMarshaller, Core.Marshallers.StringMarshaller);

        public static void Bind(Core.ServiceBinderBase binder, ScopedServiceBase? service) =>
            binder.AddMethod(CountMethod, service is null ? null! : service.Count);

        public abstract Task<string> Count(string request, Core.ServerCallContext context);
    }

    internal sealed class ScopedService(Scoped scoped) : ScopedServiceBase
    {
        public override Task<string> Count(string request, Core.ServerCallContext context) =>
            Task.FromResult(scoped.Use().ToString(System.Globalization.CultureInfo.InvariantCulture));
    }
}
