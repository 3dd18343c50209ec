using Grpc.Core;

namespace Grpc.Net.Protocol;

/// <summary>What can be wrong with a message on the wire.</summary>
internal static class MessageErrors
{
    public static readonly Status ReceivedTooLarge =
        new(StatusCode.ResourceExhausted, "Received message exceeds the maximum configured message size.");

    public static readonly Status SendingTooLarge =
        new(StatusCode.ResourceExhausted, "Sending message exceeds the maximum configured message size.");

    public static readonly Status Incomplete = new(StatusCode.Internal, "Incomplete message.");

    public static readonly Status AdditionalData = new(StatusCode.Internal, "Additional data after the message received.");

    public static readonly Status UnexpectedFlag =
        new(StatusCode.Internal, "Unexpected compressed flag value in message header.");
}
