using Microsoft.Extensions.Options;
using Nearline.Worker;

try
{
    await using var app = WorkerHost.Build(args);
    var exit = app.Services.GetRequiredService<ExitStatus>();
    await app.RunAsync();
    return exit.Code;
}
catch (OptionsValidationException e)
{
    await Console.Error.WriteLineAsync($"Nearline.Worker: {e.Message}");
    return 2;
}
