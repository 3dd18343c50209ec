using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Admin.V1;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Tests.Security;

[Collection(RedisCollection.Name)]
public sealed class TlsTests(SharedRedis redis) : IDisposable
{
    private const string Key = "nlk_tls-0123456789abcdefghijklmnopqrstuvwxyz0";
    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task Calls_cross_TLS_with_a_key()
    {
        var server = _authority.Server("server");
        await using var api = await RunningApi.StartReadyAsync(
            redis.Address, [.. Tls(server), .. ApiKeys.Client("ranking", "candidates", Key)]);
        using var channel = Channel(api, _authority);
        var client = new CandidateService.CandidateServiceClient(channel);

        Assert.Equal(Uri.UriSchemeHttps, api.Grpc.Scheme);
        Assert.Equal(CandidateSource.ScenarioFallback, (await client.GetCandidatesAsync(Request(), ApiKeys.Header(Key))).Source);
        Assert.Equal(StatusCode.Unauthenticated, (await Rpc.FailureAsync(() => client.GetCandidatesAsync(Request()).ResponseAsync)).StatusCode);
        await Eventually.TrueAsync(
            async () => await api.MetricAsync("nearline_api_tls_certificate_expiry_seconds") > DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            "the certificate's end is told");
    }

    [Fact]
    public async Task Certificates_name_clients()
    {
        var server = _authority.Server("server");
        await using var api = await RunningApi.StartReadyAsync(
            redis.Address,
            [
                .. Tls(server),
                ("Api:Tls:ClientCa", _authority.File),
                ("Api:Clients:ranking:Roles", "candidates"),
                ("Api:Clients:ranking:Certificates", "uri:spiffe://prod/ns/ranking/sa/ranker,dns:ranking.prod"),
                ("Api:Clients:operator:Roles", "admin"),
                ("Api:Clients:operator:Certificates", "cn:operator"),
                .. ApiKeys.Client("keyed", "candidates", Key),
            ]);

        Assert.Equal(StatusCode.OK, await CodeAsync(api, _authority.Client("one", uri: "spiffe://prod/ns/ranking/sa/ranker")));
        Assert.Equal(StatusCode.OK, await CodeAsync(api, _authority.Client("two", dns: "ranking.prod")));
        Assert.Equal(StatusCode.PermissionDenied, await CodeAsync(api, _authority.Client("operator")));

        // Of the authority, but nobody's: neither a part of a name nor a name of another kind will do.
        Assert.Equal(StatusCode.Unauthenticated, await CodeAsync(api, _authority.Client("ranking.prod")));
        Assert.Equal(StatusCode.Unauthenticated, await CodeAsync(api, _authority.Client("x", dns: "ranking.prod.example.com")));
        Assert.Equal(StatusCode.Unauthenticated, await CodeAsync(api, _authority.Client("y", uri: "spiffe://prod/ns/ranking/sa/ranker2")));

        // A key tells more than a certificate.
        Assert.Equal(StatusCode.OK, await CodeAsync(api, _authority.Client("stranger"), Key));
    }

    [Fact]
    public async Task Without_a_certificate_of_the_authority_there_is_no_connection()
    {
        using var other = new TestAuthority("Another authority");
        var server = _authority.Server("server");
        await using var api = await RunningApi.StartReadyAsync(
            redis.Address,
            [
                .. Tls(server),
                ("Api:Tls:ClientCa", _authority.File),
                ("Api:Clients:ranking:Roles", "candidates"),
                ("Api:Clients:ranking:Certificates", "cn:ranking"),
            ]);

        Assert.Equal(StatusCode.OK, await CodeAsync(api, _authority.Client("ranking")));
        await RefusedAsync(client: null);
        await RefusedAsync(other.Client("ranking"));

        // A server's certificate is no client's.
        await RefusedAsync(_authority.Server("ranking"));

        // With TLS 1.3 the client has shaken hands before it hears of it: it may have sent its call by then.
        async Task RefusedAsync((string, string)? client) =>
            Assert.Contains(await CodeAsync(api, client), new[] { StatusCode.Unavailable, StatusCode.Internal });
    }

    [Fact]
    public async Task New_files_are_taken_up_and_bad_ones_are_not()
    {
        var server = _authority.Server("server");
        await using var api = await RunningApi.StartReadyAsync(
            redis.Address, [.. Tls(server), .. ApiKeys.Client("ranking", "candidates", Key), ("Api:Tls:Reload", "00:00:00.100")]);
        var first = await SerialAsync(api);
        Assert.Equal(first, await SerialAsync(api));

        await File.WriteAllTextAsync(server.Key, "no key at all");
        await Eventually.TrueAsync(
            () => api.Log.Lines.Any(line => line.StartsWith("The TLS certificates stay as they are", StringComparison.Ordinal)),
            "the bad file is complained of");
        Assert.Equal(first, await SerialAsync(api));

        _authority.Server("server");
        await Eventually.TrueAsync(
            async () => !string.Equals(first, await SerialAsync(api), StringComparison.Ordinal), "the new certificate is shown");
        using var channel = Channel(api, _authority);
        await new CandidateService.CandidateServiceClient(channel).GetCandidatesAsync(Request(), ApiKeys.Header(Key));
    }

    private static (string Key, object Value)[] Tls((string Certificate, string Key) server) =>
        [("Api:Tls:Certificate", server.Certificate), ("Api:Tls:Key", server.Key)];

    private static GrpcChannel Channel(RunningApi api, TestAuthority authority, (string, string)? client = null) =>
        GrpcChannel.ForAddress(api.Grpc, new GrpcChannelOptions { HttpHandler = authority.Handler(client), DisposeHttpClient = true });

    private async Task<StatusCode> CodeAsync(RunningApi api, (string, string)? client, string? key = null)
    {
        using var channel = Channel(api, _authority, client);
        try
        {
            await new CandidateService.CandidateServiceClient(channel)
                .GetCandidatesAsync(Request(), key is null ? null : ApiKeys.Header(key));
            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
    }

    private static async Task<string> SerialAsync(RunningApi api)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(api.Grpc.Host, api.Grpc.Port);
        await using var tls = new SslStream(tcp.GetStream(), leaveInnerStreamOpen: false, static (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync(api.Grpc.Host);
        return new X509Certificate2(tls.RemoteCertificate!).SerialNumber;
    }

    private static GetCandidatesRequest Request() => new() { UserId = "nobody", Scenario = Seeder.Home };
}
