using System.Buffers;
using System.IO.Pipelines;

namespace Nearline.Api.Overload;

/// <summary>
/// A connection's output, into which whole frames can be put between the server's own. The server flushes only when all
/// that it has written are whole frames.
/// </summary>
internal sealed class SharedWriter(PipeWriter inner) : PipeWriter
{
    // What may be inserted for a client that does not read.
    private const int MostUnread = 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly ArrayBufferWriter<byte> _waiting = new();

    // From the start: a connection's first frame must be the server's SETTINGS, and a client need not wait for them.
    private bool _writing = true;
    private int _unread;

    /// <summary>Whether the client has not read for so long that no more should be inserted.</summary>
    public bool IsFull => Volatile.Read(ref _unread) > MostUnread;

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes;

    /// <summary>Sends whole frames, at once or after what the server is writing.</summary>
    public void Insert(ReadOnlySpan<byte> frames)
    {
        lock (_lock)
        {
            if (_writing)
            {
                _unread += frames.Length;
                _waiting.Write(frames);
                return;
            }

            inner.Write(frames);

            // Nobody waits for this; it only hands over what is written.
#pragma warning disable CA2012 // It is the server that waits for the flush, where it has written too.
            var flush = inner.FlushAsync(CancellationToken.None);
#pragma warning restore CA2012
            _unread = flush.IsCompleted ? 0 : _unread + frames.Length;
        }
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Begin();
        return inner.GetMemory(sizeHint);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        Begin();
        return inner.GetSpan(sizeHint);
    }

    public override void Advance(int bytes) => inner.Advance(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (_waiting.WrittenCount > 0)
            {
                inner.Write(_waiting.WrittenSpan);
                _waiting.ResetWrittenCount();
            }

            _writing = false;
            var flush = inner.FlushAsync(cancellationToken);
            _unread = flush.IsCompleted ? 0 : _unread;
            return flush;
        }
    }

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        lock (_lock)
        {
            // What comes now has nowhere to go.
            _writing = true;
            inner.Complete(exception);
        }
    }

    private void Begin()
    {
        lock (_lock)
        {
            _writing = true;
        }
    }
}
