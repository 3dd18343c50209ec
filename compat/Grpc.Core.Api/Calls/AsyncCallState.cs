namespace Grpc.Core;

/// <summary>The parts of a call that all four kinds share: either delegates with a state object, or without.</summary>
internal readonly struct AsyncCallState
{
    private readonly object responseHeaders; // Task<Metadata> or Func<object, Task<Metadata>>
    private readonly object getStatus; // Func<Status> or Func<object, Status>
    private readonly object getTrailers; // Func<Metadata> or Func<object, Metadata>
    private readonly object dispose; // Action or Action<object>
    private readonly object? state;

    public AsyncCallState(
        Func<object, Task<Metadata>> responseHeaders,
        Func<object, Status> getStatus,
        Func<object, Metadata> getTrailers,
        Action<object> dispose,
        object state)
    {
        this.responseHeaders = responseHeaders;
        this.getStatus = getStatus;
        this.getTrailers = getTrailers;
        this.dispose = dispose;
        this.state = state;
    }

    public AsyncCallState(Task<Metadata> responseHeaders, Func<Status> getStatus, Func<Metadata> getTrailers, Action dispose)
    {
        this.responseHeaders = responseHeaders;
        this.getStatus = getStatus;
        this.getTrailers = getTrailers;
        this.dispose = dispose;
        state = null;
    }

    public Task<Metadata> ResponseHeadersAsync() =>
        responseHeaders is Func<object, Task<Metadata>> get ? get(state!) : (Task<Metadata>)responseHeaders;

    public Status GetStatus() => getStatus is Func<object, Status> get ? get(state!) : ((Func<Status>)getStatus)();

    public Metadata GetTrailers() =>
        getTrailers is Func<object, Metadata> get ? get(state!) : ((Func<Metadata>)getTrailers)();

    public void Dispose()
    {
        if (dispose is Action<object> act)
        {
            act(state!);
        }
        else
        {
            ((Action)dispose)();
        }
    }
}
