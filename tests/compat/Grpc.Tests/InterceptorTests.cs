using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Tests.Proto;
using Grpc.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.Tests;

/// <summary>Interceptors of both sides.</summary>
public sealed class InterceptorTests
{
    [Fact]
    public async Task Server_interceptors_run_from_global_to_own_around_every_kind_of_call()
    {
        await using var server = await TestServer.StartAsync(
            o =>
            {
                o.Interceptors.Add<Recorder>("first");
                o.Interceptors.Add<Recorder>("second");
            },
            b => b.AddServiceOptions<ProbeService>(o => o.Interceptors.Add<Recorder>("own")));
        await server.Client.UnaryAsync(new ProbeRequest());
        using (var stream = server.Client.ServerStream(new ProbeRequest { Count = 1 }))
        {
            await stream.ResponseStream.ReadAllAsync().CountAsync();
        }

        using (var upload = server.Client.ClientStream())
        {
            await upload.RequestStream.CompleteAsync();
            await upload;
        }

        using (var both = server.Client.Duplex())
        {
            await both.RequestStream.CompleteAsync();
            await both.ResponseStream.ReadAllAsync().CountAsync();
        }

        await new Limited.LimitedClient(server.Channel).EchoAsync(new ProbeRequest());

        string[] around(string kind) =>
            [$"+first {kind}", $"+second {kind}", $"+own {kind}", $"-own {kind}", $"-second {kind}", $"-first {kind}"];
        Assert.Equal(
            [.. around("Unary"), .. around("ServerStreaming"), .. around("ClientStreaming"), .. around("DuplexStreaming"),
                "+first Unary", "+second Unary", "-second Unary", "-first Unary"],
            server.Record.Events);
    }

    [Fact]
    public async Task Server_interceptor_sees_and_changes_what_the_handler_throws()
    {
        await using var server = await TestServer.StartAsync(o => o.Interceptors.Add<Translator>());
        var e = await Assert.ThrowsAsync<RpcException>(
            () => server.Client.UnaryAsync(new ProbeRequest { Act = "exception" }).ResponseAsync);
        Assert.Equal(StatusCode.DataLoss, e.StatusCode);
        Assert.Equal("secret", e.Status.Detail);
    }

    [Fact]
    public async Task Server_interceptor_from_the_container_is_used_as_it_is()
    {
        var shared = new SharedInterceptor();
        await using var server = await TestServer.StartAsync(
            o => o.Interceptors.Add<SharedInterceptor>(), services: s => s.AddSingleton(shared));
        await server.Client.UnaryAsync(new ProbeRequest());
        await server.Client.UnaryAsync(new ProbeRequest());
        Assert.Equal(2, shared.Calls);
        Assert.False(shared.IsDisposed);
    }

    [Fact]
    public async Task Server_interceptor_shares_state_with_the_handler()
    {
        await using var server = await TestServer.StartAsync(o => o.Interceptors.Add<Stateful>());
        var reply = await server.Client.UnaryAsync(new ProbeRequest { Act = "headers" });
        Assert.Equal("set", reply.Seen["#state:probe"]);
    }

    [Fact]
    public void Only_interceptors_can_be_added()
    {
        Assert.Throws<ArgumentException>(() => new AspNetCore.Server.InterceptorCollection().Add(typeof(string)));
    }

    [Fact]
    public async Task Client_interceptors_run_from_first_to_last_around_every_kind_of_call()
    {
        await using var server = await TestServer.StartAsync();
        var events = new List<string>();
        var client = new Probe.ProbeClient(server.Channel.Intercept(new ClientRecorder("a", events), new ClientRecorder("b", events)));
        client.Unary(new ProbeRequest());
        await client.UnaryAsync(new ProbeRequest());
        using (var stream = client.ServerStream(new ProbeRequest()))
        {
            await stream.ResponseStream.ReadAllAsync().CountAsync();
        }

        using (var upload = client.ClientStream())
        {
            await upload.RequestStream.CompleteAsync();
            await upload;
        }

        using (var both = client.Duplex())
        {
            await both.RequestStream.CompleteAsync();
            await both.ResponseStream.ReadAllAsync().CountAsync();
        }

        Assert.Equal(
            ["a blocking", "b blocking", "a unary", "b unary", "a server", "b server", "a client", "b client", "a duplex", "b duplex"],
            events);
    }

    [Fact]
    public async Task Metadata_interceptor_adds_headers()
    {
        await using var server = await TestServer.StartAsync();
        var invoker = server.Channel.Intercept(headers =>
        {
            headers.Add("probe-added", "yes");
            return headers;
        });
        var reply = await new Probe.ProbeClient(invoker).UnaryAsync(new ProbeRequest { Act = "headers" });
        Assert.Equal("yes", reply.Seen["probe-added"]);
    }

    private sealed class Recorder(string name, CallRecord record) : Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
            Around("Unary", () => continuation(request, context));

        public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream,
            ServerCallContext context,
            ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
            Around("ClientStreaming", () => continuation(requestStream, context));

        public override Task ServerStreamingServerHandler<TRequest, TResponse>(
            TRequest request,
            IServerStreamWriter<TResponse> responseStream,
            ServerCallContext context,
            ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
            Around("ServerStreaming", async () =>
            {
                await continuation(request, responseStream, context);
                return true;
            });

        public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream,
            IServerStreamWriter<TResponse> responseStream,
            ServerCallContext context,
            DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
            Around("DuplexStreaming", async () =>
            {
                await continuation(requestStream, responseStream, context);
                return true;
            });

        private async Task<T> Around<T>(string kind, Func<Task<T>> next)
        {
            record.Events.Enqueue($"+{name} {kind}");
            var result = await next();
            record.Events.Enqueue($"-{name} {kind}");
            return result;
        }
    }

    private sealed class Translator : Interceptor
    {
        public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            try
            {
                return await continuation(request, context);
            }
            catch (InvalidOperationException e)
            {
                throw new RpcException(new Status(StatusCode.DataLoss, e.Message));
            }
        }
    }

    private sealed class Stateful : Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            context.UserState["probe"] = "set";
            return continuation(request, context);
        }
    }

    private sealed class SharedInterceptor : Interceptor, IDisposable
    {
        public int Calls { get; private set; }

        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;

        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            Calls++;
            return continuation(request, context);
        }
    }

    private sealed class ClientRecorder(string name, List<string> events) : Interceptor
    {
        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context,
            BlockingUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            events.Add($"{name} blocking");
            return continuation(request, context);
        }

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            events.Add($"{name} unary");
            return continuation(request, context);
        }

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            events.Add($"{name} server");
            return continuation(request, context);
        }

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            events.Add($"{name} client");
            return continuation(context);
        }

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            events.Add($"{name} duplex");
            return continuation(context);
        }
    }
}
