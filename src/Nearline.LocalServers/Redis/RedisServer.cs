using System.Globalization;
using Nearline.LocalServers.Processes;

namespace Nearline.LocalServers.Redis;

/// <summary>
/// A Redis for development and tests: redis-server, or garnet where that is missing, as a child process on 127.0.0.1
/// that keeps nothing on disk. It ends with this process, however that ends.
/// </summary>
public sealed class RedisServer : IAsyncDisposable
{
    private const int PortAttempts = 5;
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ProbePause = TimeSpan.FromMilliseconds(20);

    private readonly RedisServerOptions _options;
    private readonly string _directory;
    private ChildProcess? _process;

    private RedisServer(RedisServerOptions options, RedisServerKind kind)
    {
        _options = options;
        Kind = kind;
        _directory = Directory.CreateTempSubdirectory("nearline-redis-").FullName;
    }

    /// <summary>The program in use: never Auto.</summary>
    public RedisServerKind Kind { get; }

    /// <summary>TCP port on 127.0.0.1; stays over restarts.</summary>
    public int Port { get; private set; }

    /// <summary>"127.0.0.1:port".</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>Id of the running process; null while stopped.</summary>
    public int? ProcessId => IsRunning ? _process!.Id : null;

    /// <summary>Whether the process runs.</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Starts a server and waits until it answers.</summary>
    /// <exception cref="ChildProcessException">The program is missing or ended; the message has its last output.</exception>
    /// <exception cref="TimeoutException">It did not answer within <see cref="RedisServerOptions.StartTimeout"/>.</exception>
    public static async Task<RedisServer> StartAsync(
        RedisServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new RedisServerOptions();
        if (options.Port is < 0 or > 65535)
        {
            throw new ArgumentException($"Port {options.Port} is not 0 (pick one) or 1 to 65535.", nameof(options));
        }

        var kind = options.Kind != RedisServerKind.Auto ? options.Kind
            : Programs.Find("redis-server") is not null ? RedisServerKind.Redis
            : RedisServerKind.Garnet;
        var server = new RedisServer(options, kind);
        try
        {
            await server.StartOnSomePortAsync(cancellationToken).ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>SIGTERM, and SIGKILL after five seconds. No effect when stopped.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        if (_process is { } process)
        {
            await process.StopAsync(StopGrace, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>SIGSTOP: it answers nothing, and its connections stay open, until <see cref="Resume"/>. No effect when stopped.</summary>
    public void Suspend() => _process?.Suspend();

    /// <summary>SIGCONT: it goes on where it was.</summary>
    public void Resume() => _process?.Resume();

    /// <summary>SIGKILL, as a crash would. No effect when stopped.</summary>
    public async Task KillAsync(CancellationToken cancellationToken = default)
    {
        if (_process is { } process)
        {
            process.KillTree();
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Starts again on the same port; stops the running process first. Empty, unless <see cref="RedisServerOptions.ExtraArguments"/>
    /// let it keep its data, such as "--appendonly", "yes".
    /// </summary>
    /// <exception cref="ChildProcessException">It ended: another program took the port, for one.</exception>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await StopAsync(cancellationToken).ConfigureAwait(false);
        await StartOnAsync(Port, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Kills the process and removes its temporary directory.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync().ConfigureAwait(false);
        }

        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private async Task StartOnSomePortAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = _options.Port != 0 ? _options.Port : FreePort.Next();
            try
            {
                await StartOnAsync(port, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (ChildProcessException e)
                when (_options.Port == 0 && attempt < PortAttempts && IsPortConflict(e.Message))
            {
                // Someone took the port between our look and the server's bind: try another.
            }
        }
    }

    private async Task StartOnAsync(int port, CancellationToken cancellationToken)
    {
        if (_process is not null)
        {
            await _process.DisposeAsync().ConfigureAwait(false);
        }

        Port = port;
        var command = Kind == RedisServerKind.Redis
            ? RedisCommand(port)
            : await GarnetTool.CommandAsync(port, cancellationToken).ConfigureAwait(false);
        _process = ChildProcess.Start(command with
        {
            Arguments = [.. command.Arguments, .. _options.ExtraArguments],
            OnLine = _options.OnLine,
            OwnSession = true,
        });
        await WaitUntilReadyAsync(_process, cancellationToken).ConfigureAwait(false);
    }

    private ChildProcessOptions RedisCommand(int port) => new()
    {
        FileName = "redis-server",
        WorkingDirectory = _directory,
        Arguments =
        [
            "--port", port.ToString(CultureInfo.InvariantCulture),
            "--bind", "127.0.0.1",
            "--dir", _directory,
            "--save", "",
            "--appendonly", "no",
            "--loglevel", "warning",
        ],
    };

    private async Task WaitUntilReadyAsync(ChildProcess process, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_options.StartTimeout);
        try
        {
            while (!await AnswersAsync(process, deadline.Token).ConfigureAwait(false))
            {
                if (process.HasExited)
                {
                    throw await process.UnexpectedExitAsync().ConfigureAwait(false);
                }

                await Task.Delay(ProbePause, deadline.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"{Kind} on {Address} did not answer PING within {_options.StartTimeout.TotalSeconds:0.###} s. Its output:\n"
                + string.Join('\n', process.LastLines), e);
        }
    }

    private async Task<bool> AnswersAsync(ChildProcess process, CancellationToken cancellationToken)
    {
        var pong = await RedisProbe.AskAsync(Port, "PING", cancellationToken).ConfigureAwait(false);
        if (pong is null || !pong.StartsWith("+PONG", StringComparison.Ordinal))
        {
            return false;
        }

        if (Kind == RedisServerKind.Garnet)
        {
            return !process.HasExited;
        }

        // Another server may have taken the port first: ours is the one with our child's process id.
        var info = await RedisProbe.AskAsync(Port, "INFO server", cancellationToken).ConfigureAwait(false);
        var ours = string.Create(CultureInfo.InvariantCulture, $"\nprocess_id:{process.Id}\r\n");
        return info is not null && info.Contains(ours, StringComparison.Ordinal);
    }

    private static bool IsPortConflict(string message) =>
        message.Contains("in use", StringComparison.OrdinalIgnoreCase);
}
