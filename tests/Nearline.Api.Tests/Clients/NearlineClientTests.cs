using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Nearline.Api.Tests.Support;
using Nearline.Client;
using Nearline.Contracts.Candidates.V1;
using Nearline.LocalServers;

namespace Nearline.Api.Tests.Clients;

/// <summary>The .NET client against the service.</summary>
[Collection(RedisCollection.Name)]
public sealed class NearlineClientTests(SharedRedis redis) : ApiFixture(redis)
{
    private const string Key = "nlk_client-0123456789abcdefghijklmnopqrstuvwx";
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Answers_are_typed()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(9, TimeSpan.FromMinutes(2)));
        using var client = new NearlineClient(Options(Api.Grpc));

        var own = await client.GetCandidatesAsync(new CandidateQuery(user, Seeder.Home)
        {
            Limit = 2,
            ExcludeItemIds = ["s-0"],
            Categories = [Contracts.Catalog.V1.ShowCategory.Series, Contracts.Catalog.V1.ShowCategory.Movie],
            MaxAge = TimeSpan.FromMinutes(1),
        });
        var many = await client.MultiGetCandidatesAsync([new(user, Seeder.Home), new("", Seeder.Home), new("stranger", Seeder.Kids)]);
        var why = await client.ExplainCandidateAsync(user, Seeder.Home, "s-1");

        Assert.Equal([new CandidateShow("s-1", 99, 59, 40), new CandidateShow("s-3", 97, 57, 40)], own.Shows);
        Assert.Equal((CandidateSource.Stale, false, Seeder.ModelVersion, "event-1", ""), (own.Source, own.IsDegraded, own.ModelVersion, own.TriggerEventId, own.Variant));
        Assert.InRange(own.Age!.Value, TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(4));
        Assert.InRange(DateTimeOffset.UtcNow - own.GeneratedAt!.Value, TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(4));
        Assert.Equal([StatusCode.OK, StatusCode.InvalidArgument, StatusCode.OK], many.Select(result => result.Status.StatusCode));
        Assert.Equal(9, many[0].Set!.Shows.Count);
        Assert.Null(many[1].Set);
        Assert.Equal(CandidateSource.ScenarioFallback, many[2].Set!.Source);
        Assert.True(why.Served);
        Assert.Equal([Seeder.Home, Seeder.Kids, Seeder.Listless], await client.ListScenariosAsync());
    }

    [Fact]
    public async Task A_key_and_a_certificate_of_ones_own_are_shown()
    {
        using var authority = new TestAuthority();
        var server = authority.Server("server");
        await using var api = await RunningApi.StartReadyAsync(
            RedisAddress,
            [
                ("Api:Tls:Certificate", server.Certificate), ("Api:Tls:Key", server.Key), ("Api:Tls:ClientCa", authority.File),
                ("Api:Clients:ranking:Roles", "candidates"), ("Api:Clients:ranking:Certificates", "cn:ranking"),
                .. ApiKeys.Client("keyed", "candidates", Key),
            ]);
        var options = Options(api.Grpc);
        (options.CaFile, (options.CertificateFile, options.KeyFile)) = (authority.File, authority.Client("ranking"));
        using var named = new NearlineClient(options);
        Assert.Equal(CandidateSource.ScenarioFallback, (await named.GetCandidatesAsync(new("u", Seeder.Home))).Source);

        (options.CertificateFile, options.KeyFile) = authority.Client("stranger");
        using var stranger = new NearlineClient(options);
        var refused = await Rpc.FailureAsync(() => stranger.GetCandidatesAsync(new("u", Seeder.Home)));
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);

        options.ApiKey = Key;
        using var keyed = new NearlineClient(options);
        Assert.Equal(CandidateSource.ScenarioFallback, (await keyed.GetCandidatesAsync(new("u", Seeder.Home))).Source);
    }

    [Fact]
    public async Task What_is_unavailable_is_tried_again_as_often_as_set()
    {
        var port = FreePort.Next();
        var options = Options(new Uri($"http://127.0.0.1:{port}"));
        using (var once = new NearlineClient(new NearlineClientOptions { Address = options.Address, Deadline = Patient, MaxAttempts = 1 }))
        {
            Assert.Equal(StatusCode.Unavailable, (await Rpc.FailureAsync(() => once.ListScenariosAsync())).StatusCode);
        }

        // Without a Redis the scenarios are never read, which is UNAVAILABLE too.
        await using var api = await RunningApi.StartAsync("127.0.0.1:1", ("Api:GrpcPort", port));
        options.MaxAttempts = 5;
        using var client = new NearlineClient(options);
        Assert.Equal(StatusCode.Unavailable, (await Rpc.FailureAsync(() => client.ListScenariosAsync())).StatusCode);
        var seen = await api.MetricAsync("rpc_server_call_duration_seconds_count", "ListScenarios\"", "UNAVAILABLE");
        Assert.True(seen >= 5, $"the api saw {seen} attempts");
    }

    [Fact]
    public async Task A_hedged_call_is_answered_once()
    {
        var options = Options(Api.Grpc);
        options.HedgeAfter = TimeSpan.FromMilliseconds(1);
        using var client = new NearlineClient(options);

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(10, (await client.GetCandidatesAsync(new("u", Seeder.Home))).Shows.Count);
        }
    }

    [Fact]
    public async Task A_watch_goes_on_when_the_api_is_started_anew()
    {
        var port = FreePort.Next();
        using var client = new NearlineClient(Options(new Uri($"http://127.0.0.1:{port}")));
        using var stop = new CancellationTokenSource(Patient);
        await using var sets = client.WatchCandidatesAsync(new("u", Seeder.Home), stop.Token).GetAsyncEnumerator();
        var first = sets.MoveNextAsync();

        await using (await RunningApi.StartReadyAsync(RedisAddress, ("Api:GrpcPort", port)))
        {
            Assert.True(await first);
            Assert.Equal(CandidateSource.ScenarioFallback, sets.Current.Source);
        }

        await using var again = await RunningApi.StartReadyAsync(RedisAddress, ("Api:GrpcPort", port));
        Assert.True(await sets.MoveNextAsync());

        var next = sets.MoveNextAsync();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
    }

    [Fact]
    public async Task What_the_api_refuses_ends_a_watch()
    {
        using var client = new NearlineClient(Options(Api.Grpc));
        await using var sets = client.WatchCandidatesAsync(new("", Seeder.Home)).GetAsyncEnumerator();

        var failure = await Rpc.FailureAsync(async () => await sets.MoveNextAsync());

        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
    }

    [Fact]
    public async Task An_application_gets_one_client()
    {
        await using var services = new ServiceCollection()
            .AddNearlineClient(options => (options.Address, options.Deadline) = (Api.Grpc, Patient))
            .BuildServiceProvider();

        var client = services.GetRequiredService<NearlineClient>();

        Assert.Same(client, services.GetRequiredService<NearlineClient>());
        Assert.Equal(3, (await client.ListScenariosAsync()).Count);
    }

    public static TheoryData<string, Action<NearlineClientOptions>> Wrong { get; } = new()
    {
        { "Address is ''; it must be like https://", options => options.Address = null },
        { "it must be like https://", options => options.Address = new Uri("ftp://nearline") },
        { "would cross the network in the clear", options => (options.Address, options.ApiKey) = (new Uri("http://nearline:5001"), Key) },
        { "ApiKey is empty or has blanks", options => options.ApiKey = "a key" },
        { "set both or neither", options => options.CertificateFile = "x.pem" },
        { "has no use for 'x.pem'", options => options.CaFile = "x.pem" },
        { "Deadline is 00:00:00; it must be from", options => options.Deadline = TimeSpan.Zero },
        { "HedgeAfter is 00:02:00", options => options.HedgeAfter = TimeSpan.FromMinutes(2) },
        { "MaxAttempts is 6; it must be from 1 to 5", options => options.MaxAttempts = 6 },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Settings_that_cannot_work_are_refused(string message, Action<NearlineClientOptions> change)
    {
        var options = Options(new Uri("http://127.0.0.1:1"));
        change(options);

        var failure = Assert.Throws<ArgumentException>(() => new NearlineClient(options));

        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, failure.Message, StringComparison.Ordinal);
    }

    private static NearlineClientOptions Options(Uri address) => new() { Address = address, Deadline = Patient };
}
