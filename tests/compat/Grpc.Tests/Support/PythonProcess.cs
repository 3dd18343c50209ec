using System.Diagnostics;

namespace Grpc.Tests.Support;

/// <summary>A script of this project under the system's Python, which has grpcio. Ends with its disposal.</summary>
internal sealed class PythonProcess : IDisposable
{
    private readonly Process process;

    private PythonProcess(Process process) => this.process = process;

    public StreamReader Output => process.StandardOutput;

    public static PythonProcess Start(string script, params string[] arguments)
    {
        const string systemPython = "/usr/bin/python3";
        var start = new ProcessStartInfo(File.Exists(systemPython) ? systemPython : "python3")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Python", script));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        // Proxies of the environment are not for the loopback.
        start.Environment["no_grpc_proxy"] = "127.0.0.1";
        start.Environment["PYTHONIOENCODING"] = "utf-8";
        return new PythonProcess(Process.Start(start)!);
    }

    /// <summary>Ends it and returns what it wrote to its error output.</summary>
    public async Task<string> EndAsync()
    {
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
        }

        return await process.StandardError.ReadToEndAsync(CancellationToken.None);
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
        }

        process.Dispose();
    }
}
