using Grpc.Core;

namespace Grpc.AspNetCore.Server.Model;

public delegate Task<TResponse> UnaryServerMethod<TService, TRequest, TResponse>(
    TService service, TRequest request, ServerCallContext serverCallContext);

public delegate Task<TResponse> ClientStreamingServerMethod<TService, TRequest, TResponse>(
    TService service, IAsyncStreamReader<TRequest> stream, ServerCallContext serverCallContext);

public delegate Task ServerStreamingServerMethod<TService, TRequest, TResponse>(
    TService service, TRequest request, IServerStreamWriter<TResponse> stream, ServerCallContext serverCallContext);

public delegate Task DuplexStreamingServerMethod<TService, TRequest, TResponse>(
    TService service, IAsyncStreamReader<TRequest> input, IServerStreamWriter<TResponse> output, ServerCallContext serverCallContext);
