using Grpc.AspNetCore.HealthChecks;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.HealthCheck;
using Grpc.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Grpc.Tests;

/// <summary>The health service.</summary>
public sealed class HealthTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Check_follows_the_health_checks_of_the_mapped_service(bool cached)
    {
        var state = new State();
        await using var server = await StartAsync(state, o => o.UseHealthChecksCache = cached);
        var client = new Health.V1.Health.HealthClient(server.Channel);
        async Task<ServingStatus> statusOf(string service) =>
            (await client.CheckAsync(new HealthCheckRequest { Service = service })).Status;

        await PublishAsync(server);
        Assert.Equal(ServingStatus.Serving, await statusOf(""));
        Assert.Equal(ServingStatus.Serving, await statusOf("redis"));
        state.Redis = HealthStatus.Unhealthy;
        Assert.Equal(cached ? ServingStatus.Serving : ServingStatus.NotServing, await statusOf("redis"));
        await PublishAsync(server);
        Assert.Equal(ServingStatus.NotServing, await statusOf("redis"));
        Assert.Equal(ServingStatus.NotServing, await statusOf(""));
        Assert.Equal(ServingStatus.Serving, await statusOf("kafka"));
        Assert.Equal(ServingStatus.Unknown, await statusOf("nothing"));
        state.Redis = HealthStatus.Degraded;
        await PublishAsync(server);
        Assert.Equal(ServingStatus.Serving, await statusOf("redis"));

        var e = await Assert.ThrowsAsync<RpcException>(
            () => client.CheckAsync(new HealthCheckRequest { Service = "who" }).ResponseAsync);
        Assert.Equal(StatusCode.NotFound, e.StatusCode);
    }

    [Fact]
    public async Task Watch_begins_with_the_status_and_follows_it()
    {
        var state = new State();
        await using var server = await StartAsync(state);
        using var watch = new Health.V1.Health.HealthClient(server.Channel).Watch(new HealthCheckRequest { Service = "redis" });
        Assert.True(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(ServingStatus.Serving, watch.ResponseStream.Current.Status);
        state.Redis = HealthStatus.Unhealthy;
        await PublishAsync(server);
        Assert.True(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(ServingStatus.NotServing, watch.ResponseStream.Current.Status);
        state.Redis = HealthStatus.Healthy;
        await PublishAsync(server);
        Assert.True(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(ServingStatus.Serving, watch.ResponseStream.Current.Status);
    }

    [Fact]
    public async Task Watch_of_an_unknown_service_says_so_and_stays_open()
    {
        await using var server = await StartAsync(new State());
        using var watch = new Health.V1.Health.HealthClient(server.Channel).Watch(new HealthCheckRequest { Service = "who" });
        Assert.True(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(ServingStatus.ServiceUnknown, watch.ResponseStream.Current.Status);
        Assert.Throws<InvalidOperationException>(() => watch.GetStatus());
        server.Services.GetRequiredService<HealthServiceImpl>().SetStatus("who", ServingStatus.Serving);
        Assert.True(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(ServingStatus.Serving, watch.ResponseStream.Current.Status);
    }

    [Fact]
    public async Task Watch_ends_with_not_serving_when_the_application_stops()
    {
        await using var server = await StartAsync(new State());
        using var watch = new Health.V1.Health.HealthClient(server.Channel).Watch(new HealthCheckRequest());
        Assert.True(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(ServingStatus.Serving, watch.ResponseStream.Current.Status);
        var stop = server.StopAsync();
        Assert.True(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(ServingStatus.NotServing, watch.ResponseStream.Current.Status);
        Assert.False(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.OK, watch.GetStatus().StatusCode);
        await stop;
    }

    [Fact]
    public async Task Plain_health_service_says_what_it_was_told()
    {
        var health = new HealthServiceImpl();
        health.SetStatus("", ServingStatus.Serving);
        health.SetStatus("a", ServingStatus.NotServing);
        await using var server = await TestServer.StartAsync(
            services: s => s.AddSingleton(health), map: app => app.MapGrpcService<HealthServiceImpl>());
        var client = new Health.V1.Health.HealthClient(server.Channel);
        Assert.Equal(ServingStatus.NotServing, (await client.CheckAsync(new HealthCheckRequest { Service = "a" })).Status);
        using var watch = client.Watch(new HealthCheckRequest { Service = "a" });
        Assert.True(await watch.ResponseStream.MoveNext(default));
        health.ClearAll();
        Assert.True(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(ServingStatus.ServiceUnknown, watch.ResponseStream.Current.Status);
        Assert.Equal(
            StatusCode.NotFound,
            (await Assert.ThrowsAsync<RpcException>(() => client.CheckAsync(new HealthCheckRequest()).ResponseAsync)).StatusCode);
    }

    [Fact]
    public void Mappings_replace_those_of_the_same_name()
    {
        var mappings = new ServiceMappingCollection();
        mappings.Map("a", _ => true);
        mappings.Map("a", _ => false);
        mappings.Map("b", _ => true);
        Assert.Equal(2, mappings.Count);
        Assert.Throws<ArgumentException>(() => mappings.Add(new ServiceMapping("b", (HealthCheckMapContext _) => true)));
        mappings.Remove("b");
        Assert.Equal(["a"], mappings.Select(m => m.Name));
        mappings.Clear();
        Assert.Empty(mappings);
    }

    private static Task<TestServer> StartAsync(State state, Action<GrpcHealthChecksOptions>? configure = null) =>
        TestServer.StartAsync(
            services: s =>
            {
                s.Configure<HealthCheckPublisherOptions>(o =>
                {
                    // The tests say when.
                    o.Delay = TimeSpan.FromHours(1);
                    o.Period = TimeSpan.FromHours(1);
                });
                s.AddGrpcHealthChecks(o =>
                {
                    o.Services.Map("redis", c => c.Tags.Contains("redis"));
                    o.Services.Map("kafka", c => c.Tags.Contains("kafka"));
                    o.Services.Map("nothing", _ => false);
                    configure?.Invoke(o);
                })
                    .AddCheck("r", () => new HealthCheckResult(state.Redis), ["redis"])
                    .AddCheck("k", () => HealthCheckResult.Healthy(), ["kafka"]);
            },
            map: app => app.MapGrpcHealthChecksService());

    // What the host does once a period.
    private static async Task PublishAsync(TestServer server)
    {
        var report = await server.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        foreach (var publisher in server.Services.GetServices<IHealthCheckPublisher>())
        {
            await publisher.PublishAsync(report, CancellationToken.None);
        }
    }

    private sealed class State
    {
        private volatile HealthStatus redis = HealthStatus.Healthy;

        public HealthStatus Redis
        {
            get => redis;
            set => redis = value;
        }
    }
}
