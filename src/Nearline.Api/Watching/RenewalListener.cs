using System.Threading.Channels;

namespace Nearline.Api.Watching;

/// <summary>
/// Wakes one stream when it is time to read the set again. Several signals while the stream is busy are one: a slow
/// client gets the latest set, not every one.
/// </summary>
internal sealed class RenewalListener : IDisposable
{
    private readonly Channel<bool> _signals =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Action<RenewalListener> _leave;
    private readonly ITimer _resync;

    public RenewalListener(TimeSpan resync, TimeProvider time, Task subscribed, Action<RenewalListener> leave)
    {
        Subscribed = subscribed;
        _leave = leave;
        _resync = time.CreateTimer(static listener => ((RenewalListener)listener!).Signal(), this, resync, resync);
    }

    /// <summary>Ends when renewals are being heard; fails when Redis refused.</summary>
    public Task Subscribed { get; }

    public void Signal() => _signals.Writer.TryWrite(true);

    /// <summary>Ends at the next signal, at once if one came since the last wait.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _signals.Reader.ReadAsync(cancellationToken);

    public void Dispose()
    {
        _leave(this);
        _resync.Dispose();
    }
}
