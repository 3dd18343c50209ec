using System.Buffers;
using System.IO.Pipelines;
using Nearline.Api.Overload;

namespace Nearline.Api.Tests.Overload;

public sealed class SharedWriterTests
{
    private readonly Pipe _pipe = new();
    private readonly SharedWriter _writer;

    public SharedWriterTests() => _writer = new SharedWriter(_pipe.Writer);

    [Fact]
    public async Task Nothing_comes_before_what_the_server_says_first()
    {
        _writer.Insert([9]);
        Assert.False(_pipe.Reader.TryRead(out _));

        await _writer.WriteAsync(new byte[] { 1, 2 });

        Assert.Equal([1, 2, 9], Read());
    }

    [Fact]
    public async Task What_is_inserted_waits_for_the_end_of_what_the_server_writes_and_else_for_nothing()
    {
        await _writer.WriteAsync(new byte[] { 1 });
        _writer.Insert([8]);
        Assert.Equal([1, 8], Read());

        _writer.GetSpan(2)[0] = 2;
        _writer.Advance(1);
        _writer.Insert([9]);
        _writer.GetSpan(1)[0] = 3;
        _writer.Advance(1);
        await _writer.FlushAsync();

        Assert.Equal([2, 3, 9], Read());
    }

    private byte[] Read()
    {
        Assert.True(_pipe.Reader.TryRead(out var result));
        var read = result.Buffer.ToArray();
        _pipe.Reader.AdvanceTo(result.Buffer.End);
        return read;
    }
}
