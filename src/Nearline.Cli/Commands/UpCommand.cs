using System.CommandLine;
using Nearline.Cli.Console;
using Nearline.Cli.Demo;
using Nearline.Cli.Local;
using Nearline.Cli.Modelling;
using Nearline.Cli.Publishing;
using Nearline.Model.Bundles;
using Nearline.Model.Evaluation;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline up</c>: all parts, up until Ctrl-C.</summary>
internal static class UpCommand
{
    public static Command Create()
    {
        var data = new Option<string?>("--data") { Description = "directory with data; default: ../shared/data, else a simulated world" };
        var name = CommonOptions.Dataset();
        var models = new Option<string>("--models")
        {
            Description = "directory of model bundles; a model is trained when none is active there",
            DefaultValueFactory = _ => "runs/up/models",
        };
        var device = CommonOptions.Device();
        var backend = CommonOptions.Backend();
        var empty = new Option<bool>("--no-history") { Description = "do not publish the data's history" };
        var command = new Command("up", "run all parts until Ctrl-C") { data, name, models, device, backend, empty };
        command.SetAction(async (parsed, cancellation) =>
        {
            var directory = parsed.GetRequiredValue(models);
            var (dataset, origin) = await DemoData.LoadAsync(parsed.GetValue(data), parsed.GetValue(name), cancellation)
                .ConfigureAwait(false);
            AnsiConsole.WriteLine($"{origin}: {DatasetOutput.Describe(dataset)}");
            if (new BundleStore(directory).ActiveVersion is null)
            {
                await ModelTraining.RunAsync(
                    Splits.LeaveOneOut(dataset),
                    new ModelTrainingOptions { Models = directory, Device = parsed.GetRequiredValue(device) },
                    cancellation).ConfigureAwait(false);
            }

            var stack = await LocalStack.StartAsync(
                new LocalStackOptions(directory)
                {
                    Device = parsed.GetRequiredValue(device),
                    WorkerSettings = new Dictionary<string, string>(StringComparer.Ordinal) { ["Index__Backend"] = parsed.GetRequiredValue(backend) },
                    PreferUsualPorts = true,
                    Log = line => AnsiConsole.WriteLine(line),
                },
                cancellation).ConfigureAwait(false);
            await using (stack.ConfigureAwait(false))
            {
                if (!parsed.GetValue(empty))
                {
                    using var publisher = new EventPublisher(stack.Kafka.BootstrapServers);
                    await HistoryLoader.LoadAsync(stack, publisher, dataset.Users, cancellation).ConfigureAwait(false);
                }

                PrintAddresses(stack);
                try
                {
                    var gone = await stack.AnyUnexpectedExitAsync(cancellation).ConfigureAwait(false);
                    throw new CliException(gone.Message);
                }
                catch (OperationCanceledException)
                {
                    AnsiConsole.WriteLine("stopping");
                }
            }

            return 0;
        });
        return command;
    }

    private static void PrintAddresses(LocalStack stack)
    {
        AnsiConsole.WriteLine($"""

            Kafka    {stack.Kafka.BootstrapServers}   (embedded mock, bounded log in memory: for development)
            Redis    {stack.Redis.Address}
            gRPC     {stack.GrpcAddress}
            metrics  api {stack.ApiAddress}/metrics   worker {stack.WorkerAddress}/metrics

              export NEARLINE_KAFKA={stack.Kafka.BootstrapServers} NEARLINE_API={stack.GrpcAddress}

            Up. Ctrl-C stops everything.
            """);
    }
}
