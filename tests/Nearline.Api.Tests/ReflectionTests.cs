using System.Diagnostics;
using System.Text.Json;
using Nearline.Api.Tests.Support;

namespace Nearline.Api.Tests;

/// <summary>A client of another make (gRPC's C core under Python) that has no generated code.</summary>
[Collection(RedisCollection.Name)]
public sealed class ReflectionTests(SharedRedis redis) : ApiFixture(redis)
{
    [Fact]
    public async Task A_client_can_learn_the_service_by_reflection_and_call_it()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(5));
        await Seed.WatchedAsync(user, "s-1");
        await Eventually.GetAsync(() => Api.HttpAsync("/healthz/ready"), health => health.Status == 200, "ready");

        using var output = JsonDocument.Parse(await Eventually.GetAsync(
            () => RunAsync(user), text => text.Contains("\"health\": {\"\": \"SERVING\"", StringComparison.Ordinal), "healthy over gRPC"));

        var root = output.RootElement;
        var services = root.GetProperty("services").EnumerateArray().Select(name => name.GetString()).ToArray();
        Assert.Contains("nearline.candidates.v1.CandidateService", services);
        Assert.Contains("grpc.health.v1.Health", services);
        Assert.All(root.GetProperty("health").EnumerateObject(), health => Assert.Equal("SERVING", health.Value.GetString()));
        var answer = root.GetProperty("answer");
        Assert.Equal("CANDIDATE_SOURCE_PERSONALIZED", answer.GetProperty("source").GetString());
        Assert.Equal(
            ["s-0", "s-2", "s-3"],
            answer.GetProperty("candidates").EnumerateArray().Select(c => c.GetProperty("itemId").GetString()));
    }

    private async Task<string> RunAsync(string user)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "reflection_client.py");
        var start = new ProcessStartInfo("/usr/bin/python3", [script, Api.Grpc.Authority, user, Seeder.Home])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return text;
    }
}
