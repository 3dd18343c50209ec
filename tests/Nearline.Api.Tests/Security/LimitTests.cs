using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Tests.Security;

[Collection(RedisCollection.Name)]
public sealed class LimitTests(SharedRedis redis)
{
    private const string SlowKey = "nlk_slow-0123456789abcdefghijklmnopqrstuvwxyz";
    private const string FastKey = "nlk_fast-0123456789abcdefghijklmnopqrstuvwxyz";

    [Fact]
    public async Task A_client_that_calls_too_often_is_told_when_to_come_back_and_others_do_not_notice()
    {
        await using var api = await RunningApi.StartReadyAsync(
            redis.Address,
            [
                .. ApiKeys.Client("slow", "candidates", SlowKey), ("Api:Clients:slow:CallsPerSecond", "0.01"), ("Api:Clients:slow:CallsBurst", 3),
                .. ApiKeys.Client("fast", "candidates", FastKey),
            ]);
        for (var i = 0; i < 3; i++)
        {
            await api.Client.GetCandidatesAsync(Request(), ApiKeys.Header(SlowKey));
        }

        var refused = await Assert.ThrowsAsync<RpcException>(
            () => api.Client.GetCandidatesAsync(Request(), ApiKeys.Header(SlowKey)).ResponseAsync);

        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.StartsWith("Client 'slow' calls more often than it may", refused.Status.Detail, StringComparison.Ordinal);
        AssertHint(refused, least: 1, most: 100_000);
        for (var i = 0; i < 10; i++)
        {
            await api.Client.GetCandidatesAsync(Request(), ApiKeys.Header(FastKey));
        }

        await api.HasMetricAsync(1, "nearline_api_requests_refused_total", "reason=\"rate\"");
    }

    [Fact]
    public async Task Many_users_in_one_call_count_as_many_calls()
    {
        await using var api = await RunningApi.StartReadyAsync(
            redis.Address, ("Api:CallsPerSecond", "0.01"), ("Api:CallsBurst", 10));
        var many = new MultiGetCandidatesRequest();
        many.Requests.Add(Enumerable.Range(0, 50).Select(_ => Request()));

        Assert.Equal(50, (await api.Client.MultiGetCandidatesAsync(many)).Results.Count);
        var refused = await Assert.ThrowsAsync<RpcException>(() => api.GetAsync(Request()));

        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        AssertHint(refused, least: 4_000_000, most: 4_100_000);
    }

    [Fact]
    public async Task Guessing_keys_is_limited_by_address()
    {
        await using var api = await RunningApi.StartReadyAsync(
            redis.Address,
            [("Api:CallsPerSecond", "0.01"), ("Api:CallsBurst", 5), .. ApiKeys.Client("fast", "candidates", FastKey), ("Api:Clients:fast:CallsPerSecond", 0)]);
        var codes = new List<StatusCode>();
        for (var i = 0; i < 7; i++)
        {
            codes.Add((await Rpc.FailureAsync(
                () => api.Client.GetCandidatesAsync(Request(), ApiKeys.Header($"nlk_guess-{i}")).ResponseAsync)).StatusCode);
        }

        Assert.Equal(
            [.. Enumerable.Repeat(StatusCode.Unauthenticated, 5), StatusCode.ResourceExhausted, StatusCode.ResourceExhausted], codes);

        // Who has a name is not counted with the guesser behind the same address.
        await api.Client.GetCandidatesAsync(Request(), ApiKeys.Header(FastKey));
    }

    [Fact]
    public async Task Overload_comes_with_a_hint_too()
    {
        await using var api = await RunningApi.StartReadyAsync(redis.Address, ("Api:MaxWatchStreams", 1));
        using var first = api.Client.WatchCandidates(new() { Request = Request() });
        Assert.True(await first.ResponseStream.MoveNext(CancellationToken.None));

        using var second = api.Client.WatchCandidates(new() { Request = Request() });
        var refused = await Assert.ThrowsAsync<RpcException>(() => second.ResponseStream.MoveNext(CancellationToken.None));

        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.Contains("as many as Api:MaxWatchStreams allows", refused.Status.Detail, StringComparison.Ordinal);
        AssertHint(refused, least: 50, most: 150);
        await api.HasMetricAsync(1, "nearline_api_requests_shed_total", "kind=\"stream\"");
    }

    [Fact]
    public async Task Connections_past_the_limit_are_closed_and_the_others_go_on()
    {
        await using var api = await RunningApi.StartReadyAsync(redis.Address, ("Api:MaxConnections", 1));
        await api.GetAsync(Request());
        using var other = Grpc.Net.Client.GrpcChannel.ForAddress(api.Grpc);

        var refused = await Rpc.FailureAsync(
            () => new CandidateService.CandidateServiceClient(other).GetCandidatesAsync(Request()).ResponseAsync);

        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        await api.GetAsync(Request());
        Assert.Equal(200, (await api.HttpAsync("/healthz/live")).Status);
    }

    [Fact]
    public async Task Messages_past_the_limit_are_refused_whole_or_compressed()
    {
        await using var api = await RunningApi.StartReadyAsync(redis.Address, ("Api:MaxMessageBytes", 10_000));
        var request = new GetCandidatesRequest { UserId = new string('u', 20_000), Scenario = Seeder.Home };

        var plain = await Rpc.FailureAsync(() => api.GetAsync(request));
        var compressed = await Rpc.FailureAsync(() => api.Client.GetCandidatesAsync(
            request, new Metadata { { "grpc-internal-encoding-request", "gzip" } }).ResponseAsync);

        Assert.Equal(StatusCode.ResourceExhausted, plain.StatusCode);
        Assert.Equal(StatusCode.ResourceExhausted, compressed.StatusCode);
        request.UserId = "u";
        await api.GetAsync(request);
    }

    private static void AssertHint(RpcException refused, long least, long most)
    {
        var pushback = long.Parse(refused.Trailers.GetValue("grpc-retry-pushback-ms")!, CultureInfo.InvariantCulture);
        Assert.InRange(pushback, least, most);

        // A google.rpc.Status with a google.rpc.RetryInfo, read field by field.
        var input = new CodedInputStream(refused.Trailers.GetValueBytes("grpc-status-details-bin")!);
        Assert.Equal(8u, input.ReadTag());
        Assert.Equal((int)refused.StatusCode, input.ReadInt32());
        Assert.Equal(18u, input.ReadTag());
        Assert.Equal(refused.Status.Detail, input.ReadString());
        Assert.Equal(26u, input.ReadTag());
        var any = Google.Protobuf.WellKnownTypes.Any.Parser.ParseFrom(input.ReadBytes());
        Assert.Equal("type.googleapis.com/google.rpc.RetryInfo", any.TypeUrl);
        var info = new CodedInputStream(any.Value.ToByteArray());
        Assert.Equal(10u, info.ReadTag());
        var delay = Google.Protobuf.WellKnownTypes.Duration.Parser.ParseFrom(info.ReadBytes()).ToTimeSpan();
        Assert.InRange(delay.TotalMilliseconds, pushback - 1, pushback);
        Assert.True(input.IsAtEnd && info.IsAtEnd);
    }

    private static GetCandidatesRequest Request() => new() { UserId = "nobody", Scenario = Seeder.Home };
}
