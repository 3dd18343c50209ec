using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Nearline.Compat.Telemetry.Tests;

public sealed class HostingTests
{
    private sealed class Spans : BaseProcessor<Activity>
    {
        public List<Activity> Ended { get; } = [];

        public string? ServiceName { get; private set; }

        public bool IsShutDown { get; private set; }

        public override void OnEnd(Activity data)
        {
            Ended.Add(data);
            ServiceName = ParentProvider.GetResource().Attributes.SingleOrDefault(a => a.Key == "service.name").Value as string;
        }

        protected override bool OnShutdown(int timeoutMilliseconds) => IsShutDown = true;
    }

    private sealed class Pulled : MetricReader
    {
        public bool IsShutDown { get; private set; }

        protected override bool OnShutdown(int timeoutMilliseconds) => IsShutDown = true;
    }

    /// <summary>A service of the application whose start is worth a span.</summary>
    private sealed class Starter(ActivitySource source) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            source.StartActivity("starting")?.Dispose();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Initializer : ITelemetryHostInitializer
    {
        public int Calls { get; private set; }

        public void Initialize() => Calls++;
    }

    [Fact]
    public async Task Telemetry_starts_before_the_other_services_and_ends_with_the_host()
    {
        using var source = new ActivitySource("hosting-test");
        var spans = new Spans();
        var reader = new Pulled();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(source);
        builder.Services.AddHostedService<Starter>();
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(r => r.AddAttributes([new("service.name", "worker")]))
            .WithTracing(b => b.AddSource(source.Name).AddProcessor(spans))
            .WithMetrics(b => b.AddReader(reader));
        var host = builder.Build();
        await host.StartAsync();
        Assert.Equal("starting", Assert.Single(spans.Ended).DisplayName);
        Assert.Equal("worker", spans.ServiceName);

        await host.StopAsync();
        Assert.False(spans.IsShutDown);
        host.Dispose();
        Assert.True(spans.IsShutDown);
        Assert.True(reader.IsShutDown);
    }

    [Fact]
    public void Adding_it_again_configures_the_same_providers()
    {
        var services = new ServiceCollection();
        services.AddOpenTelemetry().WithMetrics(b => b.AddMeter("a").AddReader(new Pulled()));
        services.AddOpenTelemetry().WithMetrics(b => b.AddMeter("b")).WithTracing();
        Assert.Single(services, s => s.ServiceType == typeof(IHostedService));
        Assert.Equal(typeof(IHostedService), services[0].ServiceType);
        using var provider = services.BuildServiceProvider();
        Assert.Single(provider.GetServices<MeterProvider>());
        Assert.NotNull(provider.GetService<TracerProvider>());

        using var meterA = new Meter("a");
        using var meterB = new Meter("b");
        Assert.True(meterA.CreateCounter<long>("x").Enabled);
        Assert.True(meterB.CreateCounter<long>("x").Enabled);
    }

    [Fact]
    public async Task An_initializer_of_the_application_takes_over()
    {
        var initializer = new Initializer();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<ITelemetryHostInitializer>(initializer);
        builder.Services.AddOpenTelemetry().WithMetrics();
        using var host = builder.Build();
        await host.StartAsync();
        Assert.Equal(1, initializer.Calls);
        await host.StopAsync();
    }
}
