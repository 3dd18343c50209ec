using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Nearline.EndToEnd.Tests.Storm;
using Nearline.Worker;
using Nearline.Worker.Models;

namespace Nearline.EndToEnd.Tests;

/// <summary>The worker as it is, with a model that starts at once: the process that the crash storm kills.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        await using var app = WorkerHost.Build(
            args, builder => builder.Services.Replace(ServiceDescriptor.Singleton<IRetrieverSource>(new StormRetriever())));
        var exit = app.Services.GetRequiredService<ExitStatus>();
        await app.RunAsync();
        return exit.Code;
    }
}
