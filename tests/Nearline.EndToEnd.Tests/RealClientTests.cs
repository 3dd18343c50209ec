using System.Globalization;
using Nearline.Contracts;
using Nearline.LocalServers.Processes;

namespace Nearline.EndToEnd.Tests;

public sealed class RealClientTests
{
    [Fact]
    public async Task Kcat_publishes_and_python_by_reflection_the_command_line_and_promtool_see_it()
    {
        await using var pipeline = await Pipeline.StartAsync();
        var show = pipeline.World.Shows[0].Id;
        var scenario = pipeline.World.Scenarios[0].Id;
        var time = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var message = Path.Combine(pipeline.WorkDirectory, "event.json");
        await File.WriteAllTextAsync(
            message,
            $$"""{"userId":"kcat-user","eventTime":"{{time}}","eventId":"kcat-1","watch":{"played":"3600s","showId":"{{show}}"} }""");

        await RunAsync(
            "kcat", "-P", "-b", pipeline.Stack.Kafka.BootstrapServers, "-t", KafkaTopics.UserEvents,
            "-H", "content-type=application/json", message);
        await Eventually.TrueAsync(
            async () => (await pipeline.SetOfAsync("kcat-user", scenario))?.TriggerEventId == "kcat-1",
            "the set follows the event that kcat published");

        var grpc = new Uri(pipeline.Stack.GrpcAddress);
        var script = Path.Combine(AppContext.BaseDirectory, "Clients", "get_candidates.py");
        var python = await RunAsync("/usr/bin/python3", script, grpc.Authority, "kcat-user");
        Assert.Contains("\"triggerEventId\": \"kcat-1\"", python, StringComparison.Ordinal);
        Assert.Contains("\"source\": \"CANDIDATE_SOURCE_PERSONALIZED\"", python, StringComparison.Ordinal);
        Assert.DoesNotContain($"\"itemId\": \"{show}\"", python, StringComparison.Ordinal);

        var table = await Pipeline.RunNearlineAsync("get", "kcat-user", "--api", pipeline.Stack.GrpcAddress);
        Assert.Contains("kcat-1", table, StringComparison.Ordinal);
        Assert.Contains("personalized", table, StringComparison.Ordinal);

        using var http = new HttpClient();
        foreach (var series in new[]
            {
                "nearline_worker_event_to_servable_duration_seconds_bucket{", "nearline_worker_consumer_lag{",
                "nearline_worker_model_info{",
            })
        {
            await Eventually.TrueAsync(
                async () => (await http.GetStringAsync(new Uri(pipeline.Stack.WorkerAddress + "/metrics"))).Contains(series, StringComparison.Ordinal),
                $"the worker's metrics have {series}");
        }

        foreach (var address in new[] { pipeline.Stack.ApiAddress, pipeline.Stack.WorkerAddress })
        {
            var text = await http.GetStringAsync(new Uri(address + "/metrics"));
            var file = Path.Combine(pipeline.WorkDirectory, "metrics.txt");
            await File.WriteAllTextAsync(file, text);
            await RunAsync("/bin/sh", "-c", $"promtool check metrics < '{file}'");
        }
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        await using var process = ChildProcess.Start(new ChildProcessOptions { FileName = program, Arguments = arguments });
        var code = await process.WaitForExitAsync();
        var output = string.Join('\n', process.LastLines);
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)} ended with {code}:\n{output}");
        return output;
    }
}
