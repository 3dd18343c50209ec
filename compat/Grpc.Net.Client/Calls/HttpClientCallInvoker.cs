using Grpc.Core;

namespace Grpc.Net.Client.Calls;

/// <summary>Starts calls of a channel. The host of a call is that of the channel's address.</summary>
internal sealed class HttpClientCallInvoker(GrpcChannel channel) : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        using var call = AsyncUnaryCall(method, host, options, request);
        return call.ResponseAsync.GetAwaiter().GetResult();
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        if (channel.Plans.Of(method) is { } plan)
        {
            var attempts = new ManyAttempts<TRequest, TResponse>(channel, method, options, request, plan);
            return new AsyncUnaryCall<TResponse>(
                attempts.ResponseAsync,
                Attempts<TRequest, TResponse>.ResponseHeaders,
                Attempts<TRequest, TResponse>.GetStatus,
                Attempts<TRequest, TResponse>.GetTrailers,
                Attempts<TRequest, TResponse>.Dispose,
                attempts);
        }

        var call = new GrpcCall<TRequest, TResponse>(channel, method, options);
        call.StartUnary(request);
        return new AsyncUnaryCall<TResponse>(
            call.ResponseAsync,
            Callbacks<TRequest, TResponse>.ResponseHeaders,
            Callbacks<TRequest, TResponse>.GetStatus,
            Callbacks<TRequest, TResponse>.GetTrailers,
            Callbacks<TRequest, TResponse>.Dispose,
            call);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = new GrpcCall<TRequest, TResponse>(channel, method, options);
        call.StartServerStreaming(request);
        return new AsyncServerStreamingCall<TResponse>(
            call.ResponseStream,
            Callbacks<TRequest, TResponse>.ResponseHeaders,
            Callbacks<TRequest, TResponse>.GetStatus,
            Callbacks<TRequest, TResponse>.GetTrailers,
            Callbacks<TRequest, TResponse>.Dispose,
            call);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new GrpcCall<TRequest, TResponse>(channel, method, options);
        call.StartClientStreaming();
        return new AsyncClientStreamingCall<TRequest, TResponse>(
            call.RequestStream,
            call.ResponseAsync,
            Callbacks<TRequest, TResponse>.ResponseHeaders,
            Callbacks<TRequest, TResponse>.GetStatus,
            Callbacks<TRequest, TResponse>.GetTrailers,
            Callbacks<TRequest, TResponse>.Dispose,
            call);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new GrpcCall<TRequest, TResponse>(channel, method, options);
        call.StartDuplexStreaming();
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(
            call.RequestStream,
            call.ResponseStream,
            Callbacks<TRequest, TResponse>.ResponseHeaders,
            Callbacks<TRequest, TResponse>.GetStatus,
            Callbacks<TRequest, TResponse>.GetTrailers,
            Callbacks<TRequest, TResponse>.Dispose,
            call);
    }

    private static class Attempts<TRequest, TResponse>
        where TRequest : class
        where TResponse : class
    {
        public static readonly Func<object, Task<Metadata>> ResponseHeaders = state => ((ManyAttempts<TRequest, TResponse>)state).ResponseHeadersAsync;
        public static readonly Func<object, Status> GetStatus = state => ((ManyAttempts<TRequest, TResponse>)state).GetStatus();
        public static readonly Func<object, Metadata> GetTrailers = state => ((ManyAttempts<TRequest, TResponse>)state).GetTrailers();
        public static readonly Action<object> Dispose = state => ((ManyAttempts<TRequest, TResponse>)state).Dispose();
    }

    private static class Callbacks<TRequest, TResponse>
        where TRequest : class
        where TResponse : class
    {
        public static readonly Func<object, Task<Metadata>> ResponseHeaders = state => ((GrpcCall<TRequest, TResponse>)state).ResponseHeadersAsync;
        public static readonly Func<object, Status> GetStatus = state => ((GrpcCall<TRequest, TResponse>)state).GetStatus();
        public static readonly Func<object, Metadata> GetTrailers = state => ((GrpcCall<TRequest, TResponse>)state).GetTrailers();
        public static readonly Action<object> Dispose = state => ((GrpcCall<TRequest, TResponse>)state).Dispose();
    }
}
