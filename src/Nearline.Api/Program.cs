using Microsoft.Extensions.Options;
using Nearline.Api;

try
{
    await using var app = ApiHost.Build(args);
    await app.RunAsync();
    return 0;
}
catch (OptionsValidationException e)
{
    await Console.Error.WriteLineAsync($"Nearline.Api: {e.Message}");
    return 2;
}
