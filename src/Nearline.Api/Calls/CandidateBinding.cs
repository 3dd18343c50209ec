using Google.Protobuf;
using Grpc.Core;
using Nearline.Api.Serving;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Calls;

/// <summary>
/// The methods of <see cref="CandidateService"/> as protoc's plugin would bind them, but with the two that carry
/// candidates answering bytes: a set goes from Redis to the wire without an object a candidate.
/// </summary>
internal static class CandidateBinding
{
    /// <summary>Where server reflection looks for what the service is.</summary>
    public static Google.Protobuf.Reflection.ServiceDescriptor Descriptor => CandidateService.Descriptor;

    /// <summary>Called by the framework, with no service, to learn the methods.</summary>
    public static void BindService(ServiceBinderBase binder, Base? service)
    {
        binder.AddMethod(
            Unary("GetCandidates", Messages(GetCandidatesRequest.Parser), Marshallers.Create<RenderedResponse>(Write, NotRead<RenderedResponse>)),
            service is null ? null : service.GetCandidates);
        binder.AddMethod(
            Unary("MultiGetCandidates", Messages(MultiGetCandidatesRequest.Parser), Marshallers.Create<RenderedResponses>(Write, NotRead<RenderedResponses>)),
            service is null ? null : service.MultiGetCandidates);
        binder.AddMethod(
            new Method<WatchCandidatesRequest, WatchCandidatesResponse>(
                MethodType.ServerStreaming, Descriptor.FullName, "WatchCandidates", Messages(WatchCandidatesRequest.Parser), Messages(WatchCandidatesResponse.Parser)),
            service is null ? null : service.WatchCandidates);
        binder.AddMethod(
            Unary("ExplainCandidate", Messages(ExplainCandidateRequest.Parser), Messages(ExplainCandidateResponse.Parser)),
            service is null ? null : service.ExplainCandidate);
        binder.AddMethod(
            Unary("ListScenarios", Messages(ListScenariosRequest.Parser), Messages(ListScenariosResponse.Parser)),
            service is null ? null : service.ListScenarios);
    }

    private static Method<TRequest, TResponse> Unary<TRequest, TResponse>(
        string name, Marshaller<TRequest> request, Marshaller<TResponse> response) =>
        new(MethodType.Unary, Descriptor.FullName, name, request, response);

    private static Marshaller<T> Messages<T>(MessageParser<T> parser)
        where T : IBufferMessage, IMessage<T> =>
        Marshallers.Create<T>(
            static (message, context) =>
            {
                context.SetPayloadLength(message.CalculateSize());
                message.WriteTo(context.GetBufferWriter());
                context.Complete();
            },
            context => parser.ParseFrom(context.PayloadAsReadOnlySequence()));

    private static void Write(RenderedResponse response, SerializationContext context)
    {
        using (response)
        {
            context.SetPayloadLength(response.Length);
            var writer = context.GetBufferWriter();
            System.Buffers.BuffersExtensions.Write(writer, response.Bytes);
            context.Complete();
        }
    }

    private static void Write(RenderedResponses responses, SerializationContext context)
    {
        using (responses)
        {
            context.SetPayloadLength(responses.CalculateSize());
            responses.WriteTo(context.GetBufferWriter());
            context.Complete();
        }
    }

    private static T NotRead<T>(DeserializationContext context) =>
        throw new NotSupportedException("The service does not read its own answers.");

    /// <summary>What the service implements.</summary>
    [BindServiceMethod(typeof(CandidateBinding), nameof(BindService))]
    internal abstract class Base
    {
        public abstract Task<RenderedResponse> GetCandidates(GetCandidatesRequest request, ServerCallContext context);

        public abstract Task<RenderedResponses> MultiGetCandidates(MultiGetCandidatesRequest request, ServerCallContext context);

        public abstract Task WatchCandidates(
            WatchCandidatesRequest request, IServerStreamWriter<WatchCandidatesResponse> responseStream, ServerCallContext context);

        public abstract Task<ExplainCandidateResponse> ExplainCandidate(ExplainCandidateRequest request, ServerCallContext context);

        public abstract Task<ListScenariosResponse> ListScenarios(ListScenariosRequest request, ServerCallContext context);
    }
}
