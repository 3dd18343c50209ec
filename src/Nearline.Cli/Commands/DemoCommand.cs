using System.CommandLine;
using Nearline.Cli.Demo;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline demo</c>: the whole way of an event, on real parts, checking itself.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var data = new Option<string?>("--data") { Description = "directory with data; default: ../shared/data, else a simulated world" };
        var name = CommonOptions.Dataset();
        var device = CommonOptions.Device();
        var epochs = new Option<int?>("--epochs") { Description = "passes over the data; default: the preset's" };
        var directory = new Option<string>("--out") { Description = "directory for the model; replaced", DefaultValueFactory = _ => "runs/demo" };
        var command = new Command("demo", "train, start all parts, publish events, show sets following them")
        {
            data, name, device, epochs, directory,
        };
        command.SetAction((parsed, cancellation) => new DemoRun(new DemoOptions
        {
            Data = parsed.GetValue(data),
            Dataset = parsed.GetValue(name),
            Device = parsed.GetRequiredValue(device),
            Epochs = parsed.GetValue(epochs),
            Directory = parsed.GetRequiredValue(directory),
        }).RunAsync(cancellation));
        return command;
    }
}
