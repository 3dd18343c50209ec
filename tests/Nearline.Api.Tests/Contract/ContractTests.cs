using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Admin.V1;
using Nearline.Contracts.Candidates.V1;
using Nearline.LocalServers.Redis;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Nearline.Api.Tests.Contract;

/// <summary>What the service promises, by clients of other makes: each test runs with each.</summary>
public abstract class ContractTests(SharedRedis redis) : ApiFixture(redis)
{
    private const string Candidates = "nearline.candidates.v1.CandidateService/";
    private const string HealthCheck = "grpc.health.v1.Health/Check";
    private const string Key = "nlk_contract-0123456789abcdefghijklmnopqrstuv";

    internal abstract PeerClient Start(string address, PeerClient.Tls? tls = null);

    [Fact]
    public async Task Unary_methods_answer()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(300));
        await Seed.WatchedAsync(user, "s-1");
        await using var client = Start(Api.Grpc.Authority);

        var one = (await client.AskAsync(Candidates + "GetCandidates", new GetCandidatesRequest { UserId = user, Scenario = Seeder.Home }))
            .Only(GetCandidatesResponse.Parser);
        Assert.Equal(CandidateSource.Personalized, one.Source);
        Assert.Equal(299, one.Candidates.Count);
        Assert.Equal(["s-0", "s-2"], one.Candidates.Take(2).Select(c => c.ItemId));

        var many = (await client.AskAsync(Candidates + "MultiGetCandidates", new MultiGetCandidatesRequest
        {
            Requests =
            {
                new GetCandidatesRequest { UserId = user, Scenario = Seeder.Home, Limit = 1 },
                new GetCandidatesRequest { UserId = user },
                new GetCandidatesRequest { UserId = "stranger", Scenario = "nowhere" },
            },
        })).Only(MultiGetCandidatesResponse.Parser);
        Assert.Equal([0, (int)StatusCode.InvalidArgument, (int)StatusCode.NotFound], many.Results.Select(r => r.StatusCode));

        var why = (await client.AskAsync(
            Candidates + "ExplainCandidate", new ExplainCandidateRequest { UserId = user, Scenario = Seeder.Home, ItemId = "s-1" }))
            .Only(ExplainCandidateResponse.Parser);
        Assert.True(why is { Served: false, Watched: true });

        var scenarios = (await client.AskAsync(Candidates + "ListScenarios", new ListScenariosRequest())).Only(ListScenariosResponse.Parser);
        Assert.Equal([Seeder.Home, Seeder.Kids, Seeder.Listless], scenarios.Scenarios);
    }

    [Fact]
    public async Task A_stream_tells_of_renewals_and_ends_when_the_client_leaves()
    {
        var user = Seeder.NewUser();
        await using var client = Start(Api.Grpc.Authority);
        var call = client.Call(
            Candidates + "WatchCandidates",
            new WatchCandidatesRequest { Request = new GetCandidatesRequest { UserId = user, Scenario = Seeder.Home } },
            stream: true,
            take: 2);

        Assert.Equal(CandidateSource.ScenarioFallback, (await call.NextAsync(WatchCandidatesResponse.Parser)).Response.Source);
        await Api.HasMetricAsync(1, "nearline_api_watch_streams");
        await Seed.RenewAsync(user, Seeder.Home, Seeder.Set(3));
        Assert.Equal(CandidateSource.Personalized, (await call.NextAsync(WatchCandidatesResponse.Parser)).Response.Source);

        Assert.Equal(StatusCode.Cancelled, (await call.EndAsync()).Code);
        await Api.HasMetricAsync(0, "nearline_api_watch_streams");
    }

    [Fact]
    public async Task Failures_have_their_codes_and_say_why()
    {
        await using var client = Start(Api.Grpc.Authority);

        var invalid = await client.AskAsync(Candidates + "GetCandidates", new GetCandidatesRequest { UserId = "u", Scenario = "home", Limit = -3 });
        Assert.Equal((StatusCode.InvalidArgument, "limit is -3; it must be 1 to 1000, or 0 for the whole set"), (invalid.Code, invalid.Details));

        var unknown = await client.AskAsync(Candidates + "GetCandidates", new GetCandidatesRequest { UserId = "\u756a", Scenario = "n\u00f6where" });
        Assert.Equal(StatusCode.NotFound, unknown.Code);
        Assert.Contains("scenario is 'n\u00f6where', which is not served; known: home, kids, listless", unknown.Details, StringComparison.Ordinal);

        Assert.Equal(StatusCode.Unimplemented, (await client.AskAsync(Candidates + "Nothing", new ListScenariosRequest())).Code);
        Assert.Equal(StatusCode.Unimplemented, (await client.AskAsync("nowhere.v1.Nothing/Get", new ListScenariosRequest())).Code);

        // A string of five bytes that has one.
        var malformed = await client.AskAsync(Candidates + "GetCandidates", new Raw([0x0a, 5, (byte)'a']));
        Assert.Equal((StatusCode.InvalidArgument, "The request does not hold one protobuf message of the type that this method takes."), (malformed.Code, malformed.Details));

        var none = new WatchCandidatesRequest();
        var stream = await client.Call(Candidates + "WatchCandidates", none, stream: true).EndAsync();
        Assert.Equal(StatusCode.InvalidArgument, stream.Code);
    }

    [Fact]
    public async Task A_stalled_Redis_costs_the_deadline_or_is_answered_for()
    {
        await using var own = await RedisServer.StartAsync();
        using var connection = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(own.Address);
        await new Seeder(connection.GetDatabase()).FallbacksAsync();
        await using var patient = await RunningApi.StartReadyAsync(own.Address, ("Api:RedisTimeout", "00:00:10"));
        await using var hasty = await RunningApi.StartReadyAsync(own.Address, ("Api:RedisTimeout", "00:00:00.050"));
        var request = new GetCandidatesRequest { UserId = "u", Scenario = Seeder.Home };
        own.Suspend();
        try
        {
            await using var late = Start(patient.Grpc.Authority);
            var exceeded = await late.AskAsync(Candidates + "GetCandidates", request, timeoutMs: 400);
            Assert.Equal(StatusCode.DeadlineExceeded, exceeded.Code);
            Assert.InRange(exceeded.Elapsed.TotalMilliseconds, 350, 9_000);

            await using var soon = Start(hasty.Grpc.Authority);
            var degraded = await soon.AskAsync(Candidates + "GetCandidates", request, timeoutMs: 60_000);
            Assert.Equal(CandidateSource.ScenarioFallback, degraded.Only(GetCandidatesResponse.Parser).Source);
            Assert.Equal("redis", degraded.Trailers["nl-degraded"]);
        }
        finally
        {
            own.Resume();
        }

        // The server has stopped work too: nothing of the call is left.
        await patient.HasMetricAsync(0, "nearline_api_requests_in_flight");
    }

    [Fact]
    public async Task Health_is_told_by_service_and_watched()
    {
        await using var client = Start(Api.Grpc.Authority);
        foreach (var service in new[] { "", "nearline.candidates.v1.CandidateService" })
        {
            await Eventually.GetAsync(
                async () => (await client.AskAsync(HealthCheck, new HealthCheckRequest { Service = service })).Only(HealthCheckResponse.Parser).Status,
                status => status == ServingStatus.Serving,
                "serving");
        }

        Assert.Equal(StatusCode.NotFound, (await client.AskAsync(HealthCheck, new HealthCheckRequest { Service = "nowhere" })).Code);
        var watch = client.Call("grpc.health.v1.Health/Watch", new HealthCheckRequest(), stream: true, take: 1);
        Assert.Equal(ServingStatus.Serving, (await watch.NextAsync(HealthCheckResponse.Parser)).Status);
        Assert.Equal(StatusCode.Cancelled, (await watch.EndAsync()).Code);
    }

    [Fact]
    public async Task Reflection_lists_the_services()
    {
        await using var client = Start(Api.Grpc.Authority);

        var answer = await client.Call(
            "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", new Raw([0x3a, 1, (byte)'*']), stream: true).EndAsync();

        Assert.Equal(StatusCode.OK, answer.Code);
        var text = System.Text.Encoding.UTF8.GetString(Assert.Single(answer.Messages));
        Assert.Contains("nearline.candidates.v1.CandidateService", text, StringComparison.Ordinal);
        Assert.Contains("grpc.health.v1.Health", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_may_be_compressed_both_ways()
    {
        var user = Seeder.NewUser();
        await Seed.SetAsync(user, Seeder.Home, Seeder.Set(300));
        await using var api = await RunningApi.StartReadyAsync(RedisAddress, ("Api:ResponseCompression", "Gzip"));
        await using var client = Start(api.Grpc.Authority);

        var request = new GetCandidatesRequest { UserId = user, Scenario = Seeder.Home, ExcludeItemIds = { Enumerable.Range(0, 200).Select(i => $"s-{i}") } };
        var answer = (await client.AskAsync(Candidates + "GetCandidates", request, gzip: true)).Only(GetCandidatesResponse.Parser);

        Assert.Equal(100, answer.Candidates.Count);
    }

    [Fact]
    public async Task Keys_and_roles_count_over_TLS()
    {
        using var authority = new TestAuthority();
        var (certificate, key) = authority.Server("server");
        await using var api = await RunningApi.StartReadyAsync(
            RedisAddress,
            [("Api:Tls:Certificate", certificate), ("Api:Tls:Key", key), .. ApiKeys.Client("ranking", "candidates", Key)]);
        await using var client = Start(api.Grpc.Authority, new PeerClient.Tls(authority.File));
        var right = new Dictionary<string, string>(StringComparer.Ordinal) { ["authorization"] = $"Bearer {Key}" };
        var wrong = new Dictionary<string, string>(StringComparer.Ordinal) { ["authorization"] = "Bearer nlk_wrong" };

        Assert.Equal(StatusCode.OK, (await client.AskAsync(Candidates + "ListScenarios", new ListScenariosRequest(), metadata: right)).Code);
        Assert.Equal(StatusCode.Unauthenticated, (await client.AskAsync(Candidates + "ListScenarios", new ListScenariosRequest(), metadata: wrong)).Code);
        Assert.Equal(StatusCode.Unauthenticated, (await client.AskAsync(Candidates + "ListScenarios", new ListScenariosRequest())).Code);
        var admin = await client.AskAsync("nearline.admin.v1.AdminService/GetIndexInfo", new GetIndexInfoRequest(), metadata: right);
        Assert.Equal(StatusCode.PermissionDenied, admin.Code);
        Assert.NotEqual(StatusCode.Unauthenticated, (await client.AskAsync(HealthCheck, new HealthCheckRequest())).Code);
    }

    [Fact]
    public async Task Certificates_of_clients_count()
    {
        using var authority = new TestAuthority();
        var (certificate, key) = authority.Server("server");
        await using var api = await RunningApi.StartReadyAsync(
            RedisAddress,
            [
                ("Api:Tls:Certificate", certificate), ("Api:Tls:Key", key), ("Api:Tls:ClientCa", authority.File),
                ("Api:Clients:ranking:Roles", "candidates"), ("Api:Clients:ranking:Certificates", "dns:ranking.prod"),
            ]);
        var own = authority.Client("client", dns: "ranking.prod");
        await using var known = Start(api.Grpc.Authority, new PeerClient.Tls(authority.File, own.Certificate, own.Key));
        await using var nobody = Start(api.Grpc.Authority, new PeerClient.Tls(authority.File));

        Assert.Equal(StatusCode.OK, (await known.AskAsync(Candidates + "ListScenarios", new ListScenariosRequest())).Code);
        Assert.Equal(
            StatusCode.Unavailable,
            (await nobody.AskAsync(Candidates + "ListScenarios", new ListScenariosRequest(), timeoutMs: 60_000)).Code);
    }

    /// <summary>Bytes of a type that is not at hand.</summary>
    private sealed class Raw(byte[] bytes) : IMessage
    {
        public Google.Protobuf.Reflection.MessageDescriptor Descriptor => throw new NotSupportedException();

        public int CalculateSize() => bytes.Length;

        public void MergeFrom(CodedInputStream input) => throw new NotSupportedException();

        public void WriteTo(CodedOutputStream output) => output.WriteRawTag(bytes[0], bytes[1], bytes[2]);
    }
}

/// <summary>By gRPC's C core, under Python.</summary>
[Collection(RedisCollection.Name)]
public sealed class PythonContractTests(SharedRedis redis) : ContractTests(redis)
{
    internal override PeerClient Start(string address, PeerClient.Tls? tls = null) => PeerClient.Python(address, tls);
}

/// <summary>By grpc-js, under Node.</summary>
[Collection(RedisCollection.Name)]
public sealed class NodeContractTests(SharedRedis redis) : ContractTests(redis)
{
    internal override PeerClient Start(string address, PeerClient.Tls? tls = null) => PeerClient.Node(address, tls);
}
