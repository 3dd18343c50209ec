namespace Nearline.Worker;

/// <summary>
/// Whether the process ends by an error. The host stops in good order whatever the cause; who started the process must
/// see the difference.
/// </summary>
internal sealed class ExitStatus
{
    private volatile bool hasFailed;

    /// <summary>The process's exit code.</summary>
    public int Code => hasFailed ? 1 : 0;

    public void Fail() => hasFailed = true;
}
