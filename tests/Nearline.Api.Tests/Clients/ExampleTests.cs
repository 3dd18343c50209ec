using System.Diagnostics;
using System.Text.Json;
using Nearline.Api.Tests.Support;

namespace Nearline.Api.Tests.Clients;

/// <summary>The examples in examples/, as a reader would run them.</summary>
[Collection(RedisCollection.Name)]
public sealed class ExampleTests(SharedRedis redis)
{
    private const string Key = "nlk_example-0123456789abcdefghijklmnopqrstuvw";

    [Theory]
    [InlineData("python")]
    [InlineData("node")]
    public async Task An_example_asks_watches_and_says_what_is_wrong(string language)
    {
        using var authority = new TestAuthority();
        var server = authority.Server("server");
        await using var api = await RunningApi.StartReadyAsync(
            redis.Address,
            [("Api:Tls:Certificate", server.Certificate), ("Api:Tls:Key", server.Key), .. ApiKeys.Client("example", "candidates", Key)]);
        var user = Seeder.NewUser();
        await redis.Seed.SetAsync(user, Seeder.Home, Seeder.Set(9));
        var generated = language == "python" ? await GenerateAsync(authority.Path("generated")) : "";
        string[] tls = ["--ca", authority.File];

        var asked = await RunAsync(language, Key, generated, [.. tls, api.Grpc.Authority, user, Seeder.Home, "2"]);
        Assert.True(asked.Exit == 0, asked.Errors);
        using var answer = JsonDocument.Parse(asked.Output);
        Assert.Equal("CANDIDATE_SOURCE_PERSONALIZED", answer.RootElement.GetProperty("source").GetString());
        Assert.Equal(["s-0", "s-1"], answer.RootElement.GetProperty("candidates").EnumerateArray().Select(c => c.GetProperty("item_id").GetString()));
        Assert.False(answer.RootElement.GetProperty("degraded").GetBoolean());

        var watched = await RunAsync(language, Key, generated, ["--watch", "1", .. tls, api.Grpc.Authority, user, Seeder.Home]);
        Assert.True(watched.Exit == 0, watched.Errors);
        Assert.Contains("\"s-8\"", watched.Output, StringComparison.Ordinal);

        var refused = await RunAsync(language, "nlk_wrong", generated, [.. tls, api.Grpc.Authority, user, Seeder.Home]);
        Assert.Equal(1, refused.Exit);
        Assert.Contains("UNAUTHENTICATED: The caller is not known", refused.Errors, StringComparison.Ordinal);
    }

    private static async Task<string> GenerateAsync(string directory)
    {
        var made = await RunAsync("bash", [Repository.File("examples/python/generate.sh"), directory], []);
        Assert.True(made.Exit == 0, made.Errors);
        return directory;
    }

    private static Task<(int Exit, string Output, string Errors)> RunAsync(
        string language, string key, string generated, string[] arguments) => RunAsync(
        language == "python" ? "/usr/bin/python3" : "node",
        [Repository.File(language == "python" ? "examples/python/client.py" : "examples/node/client.js"), .. arguments],
        new(StringComparer.Ordinal) { ["NEARLINE_API_KEY"] = key, ["NEARLINE_GENERATED"] = generated });

    private static async Task<(int Exit, string Output, string Errors)> RunAsync(
        string program, string[] arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output, await errors);
    }
}
