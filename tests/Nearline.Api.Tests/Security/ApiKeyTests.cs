using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.Configuration;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Admin.V1;
using Nearline.Contracts.Candidates.V1;
using HealthClient = Grpc.Health.V1.Health.HealthClient;

namespace Nearline.Api.Tests.Security;

[Collection(RedisCollection.Name)]
public sealed class ApiKeyTests(SharedRedis redis) : ApiFixture(redis)
{
    private const string RankingKey = "nlk_ranking-0123456789abcdefghijklmnopqrstuvw";
    private const string NextKey = "nlk_next-0123456789abcdefghijklmnopqrstuvwxyz";
    private const string AdminKey = "nlk_admin-0123456789abcdefghijklmnopqrstuvwxy";

    internal override (string Key, object Value)[] Settings =>
    [
        ("Api:Clients:ranking:Roles", "candidates"),
        ("Api:Clients:ranking:KeySha256", $"{ApiKeys.Hash(RankingKey)},{ApiKeys.Hash(NextKey)}"),
        .. ApiKeys.Client("operator", "admin", AdminKey),
    ];

    [Theory]
    [InlineData($"Bearer {RankingKey}")]
    [InlineData($"Bearer {NextKey}")]
    [InlineData($"bearer  {RankingKey} ")]
    public async Task Right_keys_open(string authorization)
    {
        for (var i = 0; i < 2; i++)
        {
            var answer = await Api.Client.GetCandidatesAsync(Request(), new Metadata { { "authorization", authorization } });

            Assert.Equal(CandidateSource.ScenarioFallback, answer.Source);
        }
    }

    [Fact]
    public async Task All_that_is_wrong_gets_one_answer()
    {
        string[][] wrong =
        [
            [],
            [""],
            ["Bearer"],
            ["Bearer "],
            [RankingKey],
            [$"Basic {RankingKey}"],
            ["Bearer nlk_ranking-0123456789abcdefghijklmnopqrstuvX"],
            [$"Bearer {RankingKey[..^1]}"],
            [$"Bearer {ApiKeys.Hash(RankingKey)}"],
            [$"Bearer {new string('k', 5000)}"],
            [$"Bearer {RankingKey}", $"Bearer {AdminKey}"],
        ];
        var answers = new List<Status>();
        foreach (var headers in wrong)
        {
            var metadata = new Metadata();
            foreach (var header in headers)
            {
                metadata.Add("authorization", header);
            }

            answers.Add(await Rpc.FailureAsync(() => Api.Client.GetCandidatesAsync(Request(), metadata).ResponseAsync));
        }

        Assert.All(answers, status => Assert.Equal(StatusCode.Unauthenticated, status.StatusCode));
        Assert.Single(answers.Select(status => status.Detail).Distinct());
        Assert.Contains("authorization: Bearer KEY", answers[0].Detail, StringComparison.Ordinal);
        await Api.HasMetricAsync(wrong.Length, "nearline_api_requests_refused_total", "reason=\"unauthenticated\"");
        await Api.HasMetricAsync(wrong.Length, "rpc_server_call_duration_seconds_count", "rpc_response_status_code=\"UNAUTHENTICATED\"");
    }

    [Fact]
    public async Task Roles_are_kept_apart()
    {
        var admin = new AdminService.AdminServiceClient(Api.Channel);

        var asRanking = await Rpc.FailureAsync(() => admin.GetIndexInfoAsync(new(), ApiKeys.Header(RankingKey)).ResponseAsync);
        var asAdmin = await Rpc.FailureAsync(() => Api.Client.GetCandidatesAsync(Request(), ApiKeys.Header(AdminKey)).ResponseAsync);
        var nobody = await Rpc.FailureAsync(() => admin.GetIndexInfoAsync(new()).ResponseAsync);

        Assert.Equal(StatusCode.PermissionDenied, asRanking.StatusCode);
        Assert.Equal("Client 'ranking' does not have the role 'admin', which this method asks for.", asRanking.Detail);
        Assert.Equal(StatusCode.PermissionDenied, asAdmin.StatusCode);
        Assert.Equal("Client 'operator' does not have the role 'candidates', which this method asks for.", asAdmin.Detail);
        Assert.Equal(StatusCode.Unauthenticated, nobody.StatusCode);
    }

    [Fact]
    public async Task Health_is_open_and_the_rest_is_not()
    {
        var health = new HealthClient(Api.Channel);
        Assert.NotEqual(
            HealthCheckResponse.Types.ServingStatus.Unknown,
            (await health.CheckAsync(new HealthCheckRequest())).Status);
        using (var watch = health.Watch(new HealthCheckRequest()))
        {
            Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        }

        foreach (var path in new[] { "/metrics", "/healthz/ready", "/nowhere.v1.Nothing/Method", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" })
        {
            var (status, grpcStatus) = await PostAsync(path);

            Assert.Equal(200, status);
            Assert.Equal("16", grpcStatus);
        }

        // Metrics and probes have an endpoint of their own.
        Assert.Equal(200, (await Api.HttpAsync("/healthz/live")).Status);
    }

    [Fact]
    public async Task Streams_are_guarded_too()
    {
        using var watch = Api.Client.WatchCandidates(new() { Request = Request() });
        var status = await Rpc.FailureAsync(() => watch.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.Unauthenticated, status.StatusCode);

        using var allowed = Api.Client.WatchCandidates(new() { Request = Request() }, ApiKeys.Header(NextKey));
        Assert.True(await allowed.ResponseStream.MoveNext(CancellationToken.None));
    }

    [Fact]
    public async Task A_caller_without_a_key_may_be_let_in_to_read_only()
    {
        await using var api = await RunningApi.StartReadyAsync(RedisAddress, [.. Settings, ("Api:AllowAnonymous", true)]);
        var admin = new AdminService.AdminServiceClient(api.Channel);

        Assert.Equal(CandidateSource.ScenarioFallback, (await api.GetAsync(Request())).Source);
        var denied = await Rpc.FailureAsync(() => admin.GetIndexInfoAsync(new()).ResponseAsync);
        Assert.Equal(StatusCode.PermissionDenied, denied.StatusCode);
        var wrong = await Rpc.FailureAsync(() => api.Client.GetCandidatesAsync(Request(), ApiKeys.Header("nlk_wrong")).ResponseAsync);
        Assert.Equal(StatusCode.Unauthenticated, wrong.StatusCode);
    }

    [Fact]
    public async Task Keys_come_and_go_with_the_configuration_file()
    {
        var file = Path.GetTempFileName();
        try
        {
            await WriteAsync(file, RankingKey);
            await using var api = await RunningApi.StartReadyAsync(
                RedisAddress, builder => builder.Configuration.AddJsonFile(file, optional: false, reloadOnChange: true));
            await api.Client.GetCandidatesAsync(Request(), ApiKeys.Header(RankingKey));

            await WriteAsync(file, NextKey);
            await Eventually.TrueAsync(async () => await CodeAsync(api, NextKey) == StatusCode.OK, "the new key opens");
            Assert.Equal(StatusCode.Unauthenticated, await CodeAsync(api, RankingKey));

            await File.WriteAllTextAsync(file, """{"Api":{"Clients":{"ranking":{"Roles":"root","KeySha256":"ab"}}}}""");
            await Eventually.TrueAsync(
                () => api.Log.Lines.Any(line => line.StartsWith("Configuration has changed and is wrong", StringComparison.Ordinal)),
                "the bad file is complained of");
            Assert.Equal(StatusCode.OK, await CodeAsync(api, NextKey));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Task WriteAsync(string file, string key) => File.WriteAllTextAsync(
        file, """{"Api":{"Clients":{"ranking":{"Roles":"candidates","KeySha256":"HASH"}}}}""".Replace("HASH", ApiKeys.Hash(key), StringComparison.Ordinal));

    private static async Task<StatusCode> CodeAsync(RunningApi api, string key)
    {
        try
        {
            await api.Client.GetCandidatesAsync(Request(), ApiKeys.Header(key));
            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
    }

    private async Task<(int Status, string? Grpc)> PostAsync(string path)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Api.Grpc, path))
        {
            Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, 0]) { Headers = { { "content-type", "application/grpc" } } },
        };
        using var response = await http.SendAsync(request);
        return ((int)response.StatusCode, response.Headers.TryGetValues("grpc-status", out var values) ? values.Single() : null);
    }

    private static GetCandidatesRequest Request() => new() { UserId = "nobody", Scenario = Seeder.Home };
}
