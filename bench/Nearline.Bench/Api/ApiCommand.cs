using System.CommandLine;

namespace Nearline.Bench.Api;

/// <summary>
/// <c>nearline-bench api</c>: fills a Redis with users' sets as a worker stores them, and writes what a load generator
/// needs to ask for them and to tell right answers from wrong ones.
/// </summary>
internal static class ApiCommand
{
    public static Command Create()
    {
        var redis = new Option<string>("--redis") { Description = "host:port", Required = true };
        var output = new Option<string>("--out") { Description = "directory for requests and expected answers", Required = true };
        var users = new Option<int>("--users") { Description = "users with a set", DefaultValueFactory = _ => 5000 };
        var items = new Option<int>("--items") { Description = "shows of a set", DefaultValueFactory = _ => 300 };
        var shows = new Option<int>("--shows") { Description = "shows of the catalog", DefaultValueFactory = _ => 70_000 };
        var command = new Command("api", "fill a Redis for the benchmark of the api") { redis, output, users, items, shows };
        command.SetAction(async parsed =>
        {
            var data = new ApiData(parsed.GetRequiredValue(users), parsed.GetRequiredValue(items), parsed.GetRequiredValue(shows));
            Answers.Write(await data.WriteAsync(parsed.GetRequiredValue(redis), parsed.GetRequiredValue(output)).ConfigureAwait(false));
        });
        return command;
    }
}
