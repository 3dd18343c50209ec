using Microsoft.Extensions.Options;
using Nearline.Worker;

try
{
    await using var app = WorkerHost.Build(args);
    await app.RunAsync();
    return 0;
}
catch (OptionsValidationException e)
{
    await Console.Error.WriteLineAsync($"Nearline.Worker: {e.Message}");
    return 2;
}
