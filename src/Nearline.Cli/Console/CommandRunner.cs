using System.CommandLine;
using Grpc.Core;
using Nearline.LocalServers.Processes;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Spectre.Console;

namespace Nearline.Cli.Console;

/// <summary>Runs a parsed command; what the user can mend is one line on standard error, not a stack trace.</summary>
internal static class CommandRunner
{
    private const int PlainWidth = 1000;

    // After Ctrl-C, `up` and `demo` stop their services in order, which takes longer than the default 2 s.
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(60);

    public static async Task<int> RunAsync(ParseResult command)
    {
        if (System.Console.IsOutputRedirected)
        {
            // Plain lines, unbroken: for files, pipes and logs.
            AnsiConsole.Profile.Capabilities.Ansi = false;
            AnsiConsole.Profile.Capabilities.Interactive = false;
            AnsiConsole.Profile.Width = PlainWidth;
        }

        try
        {
            return await command.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = StopPatience,
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
        catch (RpcException e)
        {
            return Fail($"{e.Status.StatusCode}: {e.Status.Detail}");
        }
        catch (ArgumentException e)
        {
            // The exception's own text ends with the parameter's name, which the message begins with.
            return Fail(e.Message.Replace($" (Parameter '{e.ParamName}')", "", StringComparison.Ordinal));
        }
        catch (Exception e) when (e is CliException or IOException or InvalidDataException
            or UnauthorizedAccessException or TimeoutException or BundleException or DatasetException
            or ChildProcessException or Confluent.Kafka.KafkaException or StackExchange.Redis.RedisException)
        {
            return Fail(e.Message);
        }
    }

    private static int Fail(string message)
    {
        var error = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(System.Console.Error) });
        error.Profile.Width = PlainWidth;
        error.Profile.Capabilities.Ansi &= !System.Console.IsErrorRedirected;
        error.MarkupLineInterpolated($"[red]nearline:[/] {message}");
        return 1;
    }
}
