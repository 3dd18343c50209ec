using System.Buffers;
using System.Text;
using Grpc.Core;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Serving;

/// <summary>
/// A <see cref="MultiGetCandidatesResponse"/> of finished answers. Dispose it once it is written.
/// </summary>
internal sealed class RenderedResponses(Answer[] answers) : IDisposable
{
    private const byte ResultTag = MultiGetCandidatesResponse.ResultsFieldNumber << 3 | WireReader.Bytes;
    private const int MaxHead = 1 + WireWriter.MaxVarint;

    /// <summary>How many bytes the message has.</summary>
    public int CalculateSize()
    {
        var size = 0;
        foreach (var answer in answers)
        {
            var result = SizeOf(answer);
            size += 1 + WireWriter.VarintSize((uint)result) + result;
        }

        return size;
    }

    public void WriteTo(IBufferWriter<byte> output)
    {
        foreach (var answer in answers)
        {
            var text = answer.Status.Detail;
            var room = output.GetSpan((3 * MaxHead) + Encoding.UTF8.GetByteCount(text));
            var writer = new WireWriter(room);
            writer.WriteVarint(ResultTag);
            writer.WriteVarint((uint)SizeOf(answer));
            writer.WriteNumber(MultiGetCandidatesResult.StatusCodeFieldNumber, (ulong)answer.Status.StatusCode);
            writer.WriteText(MultiGetCandidatesResult.StatusMessageFieldNumber, text);
            if (answer.Response is { } response)
            {
                writer.WriteHead(MultiGetCandidatesResult.ResponseFieldNumber, response.Length);
            }

            output.Advance(writer.Position);
            if (answer.Response is { } body)
            {
                output.Write(body.Bytes);
            }
        }
    }

    public void Dispose()
    {
        foreach (var answer in answers)
        {
            answer.Response?.Dispose();
        }
    }

    private static int SizeOf(Answer answer)
    {
        var text = Encoding.UTF8.GetByteCount(answer.Status.Detail);
        var size = answer.Status.StatusCode == StatusCode.OK ? 0 : 1 + WireWriter.VarintSize((ulong)answer.Status.StatusCode);
        size += text == 0 ? 0 : 1 + WireWriter.VarintSize((uint)text) + text;
        return answer.Response is { } response ? size + 1 + WireWriter.VarintSize((uint)response.Length) + response.Length : size;
    }
}
