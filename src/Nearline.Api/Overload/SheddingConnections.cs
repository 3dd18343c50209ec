using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Nearline.Api.Security;
using Nearline.Api.Telemetry;

namespace Nearline.Api.Overload;

/// <summary>Puts a <see cref="FrameShedder"/> between clients and the HTTP/2 server.</summary>
internal sealed class SheddingConnections(WorkQueue queue, ApiMetrics metrics, TimeProvider time)
{
    private static readonly byte[] Refusal = EncodeRefusal();

    /// <summary>Connection middleware.</summary>
    public ConnectionDelegate Around(ConnectionDelegate next) => async connection =>
    {
        var transport = connection.Transport;
        var output = new SharedWriter(transport.Output);
        var onward = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
        connection.Transport = new Duplex(onward.Reader, output);
        var pumping = PumpAsync(transport.Input, onward.Writer, output);
        try
        {
            await next(connection);
        }
        finally
        {
            // The server has completed its ends by now, which ends the pump's write; this ends its read.
            await onward.Reader.CompleteAsync();
            transport.Input.CancelPendingRead();
            await pumping;
            connection.Transport = transport;
        }
    };

    private async Task PumpAsync(PipeReader input, PipeWriter onward, SharedWriter output)
    {
        var shedder = new FrameShedder(Refusal, time);
        var back = new ArrayBufferWriter<byte>();
        Exception? failure = null;
        try
        {
            while (true)
            {
                var result = await input.ReadAsync();
                if (result.IsCanceled)
                {
                    break;
                }

                // To a client that does not read, the server's own limits apply.
                var room = output.IsFull ? int.MaxValue : queue.Room;
                var (passed, shed) = shedder.Process(result.Buffer, room, onward, back);
                input.AdvanceTo(result.Buffer.End);
                queue.Arriving(passed);
                if (back.WrittenCount > 0)
                {
                    output.Insert(back.WrittenSpan);
                    back.ResetWrittenCount();
                    metrics.Shed("connection", shed);
                }

                if ((await onward.FlushAsync()).IsCompleted || result.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            // The client is gone; the server hears it from its end of the pipe.
            failure = e;
        }

        await onward.CompleteAsync(failure);
        await input.CompleteAsync(failure);
    }

    // :status 200 from the static table, then literals that are not to be indexed, so that no table changes.
    private static byte[] EncodeRefusal()
    {
        var block = new List<byte> { 0x88 };
        Field("content-type", "application/grpc");
        Field("grpc-status", "8");
        Field("grpc-message", "More calls wait for a processor than Api:MaxQueuedWork allows; try again with backoff.");
        Field(RetryHint.PushbackTrailer, RetryHint.Milliseconds(TimeSpan.FromMilliseconds(100)));
        return [.. block];

        void Field(string name, string value)
        {
            block.Add(0);
            Text(name);
            Text(value);
        }

        void Text(string text)
        {
            // Lengths below 127 are one byte, without Huffman's bit.
            block.Add((byte)text.Length);
            block.AddRange(Encoding.ASCII.GetBytes(text));
        }
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input { get; } = input;

        public PipeWriter Output { get; } = output;
    }
}
