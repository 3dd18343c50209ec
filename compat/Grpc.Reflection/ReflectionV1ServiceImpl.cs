using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;

namespace Grpc.Reflection;

/// <summary>The reflection service of protocol version v1.</summary>
public class ReflectionV1ServiceImpl : ServerReflection.ServerReflectionBase
{
    private readonly Reflector reflector;

    public ReflectionV1ServiceImpl(IEnumerable<string> services, SymbolRegistry symbolRegistry) =>
        reflector = new Reflector(services, symbolRegistry);

    public ReflectionV1ServiceImpl(IEnumerable<ServiceDescriptor> serviceDescriptors)
        : this(serviceDescriptors.Select(s => s.FullName), SymbolRegistry.FromFiles(serviceDescriptors.Select(s => s.File)))
    {
    }

    public ReflectionV1ServiceImpl(params ServiceDescriptor[] serviceDescriptors)
        : this((IEnumerable<ServiceDescriptor>)serviceDescriptors)
    {
    }

    public override async Task ServerReflectionInfo(
        IAsyncStreamReader<ServerReflectionRequest> requestStream,
        IServerStreamWriter<ServerReflectionResponse> responseStream,
        ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
        {
            var request = requestStream.Current;
            var response = Answer(request);
            response.ValidHost = request.Host;
            response.OriginalRequest = request;
            await responseStream.WriteAsync(response).ConfigureAwait(false);
        }
    }

    private ServerReflectionResponse Answer(ServerReflectionRequest request)
    {
        switch (request.MessageRequestCase)
        {
            case ServerReflectionRequest.MessageRequestOneofCase.FileByFilename:
                return reflector.FileByName(request.FileByFilename) is { } file
                    ? new() { FileDescriptorResponse = new() { FileDescriptorProto = { file } } }
                    : Error(StatusCode.NotFound, Reflector.FileNotFound);
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol:
                return reflector.FileContainingSymbol(request.FileContainingSymbol) is { } containing
                    ? new() { FileDescriptorResponse = new() { FileDescriptorProto = { containing } } }
                    : Error(StatusCode.NotFound, Reflector.SymbolNotFound);
            case ServerReflectionRequest.MessageRequestOneofCase.ListServices:
                var services = new ListServiceResponse();
                services.Service.AddRange(reflector.Services.Select(name => new ServiceResponse { Name = name }));
                return new() { ListServicesResponse = services };
            default:
                return Error(StatusCode.Unimplemented, Reflector.NotSupported);
        }
    }

    private static ServerReflectionResponse Error(StatusCode code, string message) =>
        new() { ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = message } };
}
