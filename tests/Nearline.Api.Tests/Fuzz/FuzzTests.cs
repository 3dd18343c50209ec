using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Nearline.Api.Tests.Support;
using Nearline.LocalServers.Processes;
using Xunit.Abstractions;

namespace Nearline.Api.Tests.Fuzz;

/// <summary>
/// The service in a process of its own under callers who do all wrong. NEARLINE_FUZZ_CASES says how many malformed
/// messages and frames there are (bench/fuzz sends 100,000), NEARLINE_FUZZ_RESULTS where the figures go.
/// </summary>
[Collection(RedisCollection.Name)]
public sealed partial class FuzzTests(SharedRedis redis, ITestOutputHelper output)
{
    private const int InSuite = 6000;
    private const int Batch = 50;
    private const int StreamsPerConnection = 500;
    private const int FramesPerFlood = 1000;
    private const int Stalled = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly int _cases = int.TryParse(Environment.GetEnvironmentVariable("NEARLINE_FUZZ_CASES"), CultureInfo.InvariantCulture, out var cases) ? cases : InSuite;

    [Fact]
    public async Task The_service_outlives_malformed_messages_and_frames()
    {
        var user = Seeder.NewUser();
        await redis.Seed.SetAsync(user, Seeder.Home, Seeder.Set(300));
        await using var api = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "dotnet",
            Arguments =
            [
                Repository.File("artifacts/bin/Nearline.Api/release/Nearline.Api.dll"),
                $"--Redis:ConnectionString={redis.Address}", "--Api:GrpcPort=0", "--Api:HttpPort=0", "--Api:RedisTimeout=00:00:05",
                "--Api:DefaultDeadline=00:00:30", "--Api:FallbackRefresh=00:00:00.100",
            ],
            Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["DOTNET_gcServer"] = "0" },
        });
        var ports = Ports().Match(await api.WaitForLineAsync(line => line.Contains("Nearline.Api listening:", StringComparison.Ordinal), Patience));
        var port = int.Parse(ports.Groups["grpc"].Value, CultureInfo.InvariantCulture);
        var messages = new Malformed(new Random(7), $"127.0.0.1:{port}");
        var abuse = new Abuse(new Random(11), port, messages);
        await Eventually.TrueAsync(async () => await GoodAsync(port, messages, user) == "grpc 0", "the service answers", Patience);

        // Connections that take no byte of their answers, open all the while.
        var stalled = new List<Http2Peer>();
        for (var i = 0; i < Stalled; i++)
        {
            stalled.Add(await StallAsync(port, messages, user));
        }

        // Who does not read its answers keeps no place from others.
        using var http = new HttpClient();
        await IdleAsync(http, ports);
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var codes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var wrong = new List<string>();
        var clock = Stopwatch.StartNew();

        // What every process needs once, and what a pool keeps, is not growth.
        await RoundAsync(_cases / 4, port, messages, abuse, counts, codes, wrong);
        var before = Resident(api.Id);
        await RoundAsync(_cases - (_cases / 4), port, messages, abuse, counts, codes, wrong);
        var after = Resident(api.Id);
        var seconds = clock.Elapsed.TotalSeconds;

        Assert.False(api.HasExited);
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(20)));
        Assert.Equal("grpc 0", await GoodAsync(port, messages, user));
        Assert.InRange(after - before, -1000, 128);
        Assert.DoesNotContain("   at ", string.Join('\n', api.LastLines), StringComparison.Ordinal);
        Assert.True(api.LastLines.Count < 100, $"the log has {api.LastLines.Count} lines: {string.Join('\n', api.LastLines.TakeLast(20))}");
        foreach (var peer in stalled)
        {
            await peer.DisposeAsync();
        }

        await IdleAsync(http, ports);
        var line = JsonSerializer.Serialize(new
        {
            bench = "fuzz",
            cases = counts.Values.Sum(),
            kinds = counts.Count,
            seconds = Math.Round(seconds, 1),
            rss_mb_before = before,
            rss_mb_after = after,
            wrong_codes = wrong.Count,
            ends = codes,
            by_kind = counts,
        });
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("NEARLINE_FUZZ_RESULTS") is { Length: > 0 } file)
        {
            await File.WriteAllTextAsync(file, line);
        }
    }

    /// <summary>Two thirds messages, a third frames, with a good call now and then between them.</summary>
    private static async Task RoundAsync(
        int cases, int port, Malformed messages, Abuse abuse, IDictionary<string, int> counts, IDictionary<string, int> codes, List<string> wrong)
    {
        var kinds = Malformed.Kinds;
        var peer = await Http2Peer.ConnectAsync(port);
        var used = 0;
        for (var i = 0; i < cases * 2 / 3; i += Batch)
        {
            if (used >= StreamsPerConnection)
            {
                await peer.DisposeAsync();
                (peer, used) = (await Http2Peer.ConnectAsync(port), 0);
            }

            var batch = new List<(string Kind, Malformed.Case Case, Http2Peer.Exchange Exchange)>();
            for (var j = 0; j < Batch; j++)
            {
                // A bomb costs its inflation up to the limit: one in a batch is plenty.
                var kind = kinds[(i + j) % kinds.Count];
                kind = kind == "gzip bomb" && j > kinds.Count ? "no message" : kind;
                var made = messages.Of(kind);
                batch.Add((kind, made, peer.Request(made.Headers, made.Body)));
            }

            if (!await peer.SendAsync())
            {
                wrong.Add($"the server has closed the connection: {peer.Farewell}");
                break;
            }

            used += Batch;
            if (wrong.Count > Batch)
            {
                return;
            }

            foreach (var (kind, made, exchange) in batch)
            {
                var end = await EndAsync(exchange);
                counts[kind] = counts.TryGetValue(kind, out var count) ? count + 1 : 1;
                codes[end] = codes.TryGetValue(end, out var seen) ? seen + 1 : 1;

                // On a busy machine calls may be shed before anybody looks what they are.
                if (!made.Right.Contains(end, StringComparer.Ordinal) && !exchange.Headers.ContainsKey("grpc-retry-pushback-ms"))
                {
                    wrong.Add($"{kind}: {end} ({exchange.Headers.GetValueOrDefault("grpc-message")}), not {string.Join(" or ", made.Right)}: {Convert.ToHexString(made.Body.AsSpan(0, Math.Min(64, made.Body.Length)))}");
                }
            }
        }

        await peer.DisposeAsync();
        for (var left = cases / 3; left > 0;)
        {
            foreach (var (kind, run) in abuse.Kinds)
            {
                var sent = FramesPerFlood;
                try
                {
                    sent = await run(FramesPerFlood);
                }
                catch (TimeoutException e)
                {
                    wrong.Add($"{kind}: {e.Message}");
                }

                counts[kind] = counts.TryGetValue(kind, out var count) ? count + sent : sent;
                left -= sent;
            }
        }
    }

    private static async Task<string> GoodAsync(int port, Malformed messages, string user)
    {
        await using var peer = await Http2Peer.ConnectAsync(port);
        var good = messages.Good(user);
        var exchange = peer.Request(good.Headers, good.Body);
        await peer.SendAsync();
        return await exchange.Ended.WaitAsync(Patience);
    }

    private static Task IdleAsync(HttpClient http, Match ports) => Eventually.GetAsync(
        () => http.GetStringAsync($"http://127.0.0.1:{ports.Groups["http"].Value}/metrics"),
        text => !InFlight().IsMatch(text), "no call is in flight", Patience);

    private static async Task<string> EndAsync(Http2Peer.Exchange exchange)
    {
        try
        {
            return await exchange.Ended.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            return "nothing";
        }
    }

    private static async Task<Http2Peer> StallAsync(int port, Malformed messages, string user)
    {
        var peer = await Http2Peer.ConnectAsync(port, window: 0);
        for (var i = 0; i < Batch; i++)
        {
            var good = messages.Good(user);
            peer.Request(good.Headers, good.Body);
        }

        await peer.SendAsync();
        return peer;
    }

    private static long Resident(int process)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    [GeneratedRegex(@"grpc=http://127\.0\.0\.1:(?<grpc>\d+) http=http://127\.0\.0\.1:(?<http>\d+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Ports();

    [GeneratedRegex(@"nearline_api_requests_in_flight(\{[^}]*\})? [1-9]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex InFlight();
}
