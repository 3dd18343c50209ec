using Grpc.Core;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Tests.Overload;

/// <summary>A service that lets hardly any work wait.</summary>
[Collection(RedisCollection.Name)]
public sealed class OverloadTests(SharedRedis redis) : ApiFixture(redis)
{
    private const int Burst = 1000;

    internal override (string Key, object Value)[] Settings => [("Api:MaxQueuedWork", 1)];

    [Fact]
    public async Task In_a_burst_every_call_is_answered_rightly_or_refused_with_a_hint()
    {
        var users = Enumerable.Range(0, 20).Select(_ => Seeder.NewUser()).ToArray();
        await Task.WhenAll(users.Select(user => Seed.SetAsync(user, Seeder.Home, Seeder.Set(200, trigger: user))));

        var refused = new List<RpcException>();
        await Eventually.TrueAsync(
            async () =>
            {
                var answers = await Task.WhenAll(Enumerable.Range(0, Burst).Select(i => CallAsync(users[i % users.Length])));
                refused.AddRange(answers.OfType<RpcException>());
                return refused.Count > 0;
            },
            "calls are refused",
            TimeSpan.FromSeconds(60));

        Assert.All(refused, refusal =>
        {
            Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
            Assert.Contains("Api:MaxQueuedWork", refusal.Status.Detail, StringComparison.Ordinal);
            Assert.InRange(int.Parse(refusal.Trailers.GetValue("grpc-retry-pushback-ms")!, System.Globalization.CultureInfo.InvariantCulture), 1, 1000);
        });
        await Eventually.TrueAsync(async () => await CallAsync(users[0]) is null, "the connection goes on", TimeSpan.FromSeconds(60));
        Assert.True(await Api.MetricAsync("nearline_api_requests_shed_total") > 0);
    }

    // Null when the answer is the user's own set.
    private async Task<Exception?> CallAsync(string user)
    {
        try
        {
            var answer = await Api.GetAsync(new() { UserId = user, Scenario = Seeder.Home });
            Assert.Equal(user, answer.TriggerEventId);
            Assert.Equal(200, answer.Candidates.Count);
            return null;
        }
        catch (RpcException e)
        {
            return e;
        }
    }
}
