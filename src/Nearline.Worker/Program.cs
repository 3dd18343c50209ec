using Microsoft.Extensions.Options;
using Nearline.Worker;

try
{
    await using var app = WorkerHost.Build(args);
    await app.RunAsync();
    return Environment.ExitCode;
}
catch (OptionsValidationException e)
{
    await Console.Error.WriteLineAsync($"Nearline.Worker: {e.Message}");
    return 2;
}
