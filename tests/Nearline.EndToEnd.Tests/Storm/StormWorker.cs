using System.Globalization;
using Nearline.LocalServers;
using Nearline.LocalServers.Processes;

namespace Nearline.EndToEnd.Tests.Storm;

/// <summary>One of the worker processes of a storm: killed and started again on the same port.</summary>
internal sealed class StormWorker(IReadOnlyDictionary<string, string?> settings) : IAsyncDisposable
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };

    private readonly string address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Next()}");
    private ChildProcess? process;

    public ChildProcess Process => process ?? throw new InvalidOperationException("it was not started");

    public void Start() => process = ChildProcess.Start(new ChildProcessOptions
    {
        FileName = "dotnet",
        Arguments = [Path.Combine(AppContext.BaseDirectory, "Nearline.EndToEnd.Tests.dll")],
        Environment = new Dictionary<string, string?>(settings, StringComparer.Ordinal)
        {
            ["ASPNETCORE_URLS"] = address,
            ["Worker__GrpcPort"] = "-1",
        },
        OwnSession = true,
        KeptLines = 200,
    });

    /// <summary>Events that the present process has processed, whatever became of them; 0 while it does not answer.</summary>
    public async Task<long> EventsAsync()
    {
        try
        {
            var text = await Http.GetStringAsync(new Uri(address + "/metrics"));
            return text.Split('\n')
                .Where(line => line.StartsWith("nearline_worker_events_total{", StringComparison.Ordinal))
                .Sum(line => (long)double.Parse(line[(line.IndexOf('}', StringComparison.Ordinal) + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return 0;
        }
    }

    /// <summary>kill -9, by process id.</summary>
    /// <returns>How many events the process had reported.</returns>
    public async Task<long> KillAsync()
    {
        var reported = await EventsAsync();
        Process.Kill();
        await Process.WaitForExitAsync();
        return reported;
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            await process.DisposeAsync();
        }
    }
}
