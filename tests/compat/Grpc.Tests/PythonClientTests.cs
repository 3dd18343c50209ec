using System.Text.Json;
using Grpc.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Grpc.Tests;

/// <summary>The server for a client of another implementation: grpcio, over gRPC's C core.</summary>
public sealed class PythonClientTests(PythonClientTests.Run run) : IClassFixture<PythonClientTests.Run>
{
    [Theory]
    [InlineData("unary")]
    [InlineData("server_stream")]
    [InlineData("client_stream")]
    [InlineData("empty_client_stream")]
    [InlineData("duplex")]
    [InlineData("duplex_back_and_forth")]
    [InlineData("request_metadata")]
    [InlineData("response_metadata")]
    [InlineData("error_with_details")]
    [InlineData("status_text")]
    [InlineData("exception")]
    [InlineData("error_after_messages")]
    [InlineData("early_answer")]
    [InlineData("unimplemented")]
    [InlineData("deadline")]
    [InlineData("stream_deadline")]
    [InlineData("cancellation")]
    [InlineData("gzip_request")]
    [InlineData("deflate_request")]
    [InlineData("gzip_streams")]
    [InlineData("uncompressed_response")]
    [InlineData("big_message")]
    [InlineData("too_big")]
    [InlineData("many_at_once")]
    [InlineData("health_check")]
    [InlineData("health_watch")]
    [InlineData("reflection")]
    public void Case(string name)
    {
        Assert.True(run.Results.TryGetValue(name, out var error), $"the client did not come to '{name}': {run.Errors}");
        Assert.True(error is null, error);
    }

    [Fact]
    public void Every_case_of_the_client_is_looked_at() => Assert.Equal(27, run.Results.Count);

    [Fact]
    public async Task Server_learned_of_the_cancellation() =>
        Assert.True(await run.Cancelled.WaitAsync(TimeSpan.FromSeconds(10)));

    public sealed class Run : IAsyncLifetime
    {
        public Dictionary<string, string?> Results { get; } = new(StringComparer.Ordinal);

        public string Errors { get; private set; } = "";

        public Task<bool> Cancelled { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            await using var server = await TestServer.StartAsync(
                o => o.ResponseCompressionAlgorithm = "gzip",
                services: s =>
                {
                    s.AddGrpcReflection();
                    s.AddGrpcHealthChecks(o =>
                    {
                        o.Services.Map("", c => c.Name == "good");
                        o.Services.Map("redis", c => c.Name == "bad");
                    })
                        .AddCheck("good", () => HealthCheckResult.Healthy())
                        .AddCheck("bad", () => HealthCheckResult.Unhealthy());
                },
                map: app =>
                {
                    app.MapGrpcReflectionService();
                    app.MapGrpcHealthChecksService();
                });
            using var python = PythonProcess.Start("client.py", server.Address.Authority);
            while (await python.Output.ReadLineAsync() is { } line)
            {
                var result = JsonDocument.Parse(line).RootElement;
                Results.Add(result.GetProperty("case").GetString()!, result.GetProperty("error").GetString());
            }

            Errors = await python.EndAsync();
            Cancelled = server.Record.EndOf("cancelled by the client").Task;
        }

        public Task DisposeAsync() => Task.CompletedTask;
    }
}
