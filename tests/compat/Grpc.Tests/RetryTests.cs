using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using Grpc.Tests.Proto;
using Grpc.Tests.Support;

namespace Grpc.Tests;

/// <summary>Retries and hedging of unary calls, by gRFC A6, against responses made by hand.</summary>
public sealed class RetryTests
{
    private static readonly byte[] Reply = Frame.Of(new ProbeReply { Text = "canned" }.ToByteArray());
    private readonly List<string> attempts = [];

    [Fact]
    public async Task A_retryable_failure_is_tried_again_until_it_succeeds()
    {
        var client = Client(Retry(), Fails("14"), Fails("14"), Succeeds());

        using var call = client.UnaryAsync(new ProbeRequest { Text = "x" }, new Metadata { { "own", "header" } });

        Assert.Equal("canned", (await call.ResponseAsync).Text);
        Assert.Equal(["", "1", "2"], attempts);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Equal("last", call.GetTrailers().GetValue("probe"));
        await call.ResponseHeadersAsync;
    }

    [Fact]
    public async Task The_last_failure_is_the_calls()
    {
        var client = Client(Retry(), Fails("14", "first"), Fails("14", "second"), Fails("14", "third"), Succeeds());

        var failure = await Assert.ThrowsAsync<RpcException>(() => client.UnaryAsync(new ProbeRequest()).ResponseAsync);

        Assert.Equal("third", failure.Status.Detail);
        Assert.Equal(3, attempts.Count);
    }

    [Fact]
    public async Task Other_codes_and_responses_that_have_begun_are_final()
    {
        var other = Client(Retry(), Fails("3"), Succeeds());
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(() => other.UnaryAsync(new ProbeRequest()).ResponseAsync)).StatusCode);

        var begun = Client(Retry(), () => FakeHandler.Response([], "14"), Succeeds());
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => begun.UnaryAsync(new ProbeRequest()).ResponseAsync)).StatusCode);
        Assert.Equal(2, attempts.Count);
    }

    [Theory]
    [InlineData("-1", 1)]
    [InlineData("soon", 1)]
    [InlineData("0", 2)]
    public async Task The_server_may_say_when_or_never(string pushback, int made)
    {
        var client = Client(Retry(), Fails("14", pushback: pushback), Succeeds());

        var ended = await Record.ExceptionAsync(() => client.UnaryAsync(new ProbeRequest()).ResponseAsync);

        Assert.Equal(made == 2, ended is null);
        Assert.Equal(made, attempts.Count);
    }

    [Fact]
    public async Task The_deadline_is_of_all_attempts_together()
    {
        var config = Retry();
        config.RetryPolicy!.InitialBackoff = config.RetryPolicy.MaxBackoff = TimeSpan.FromMinutes(10);
        var client = Client(config, Fails("14"), Succeeds());

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => client.UnaryAsync(new ProbeRequest(), deadline: DateTime.UtcNow.AddMilliseconds(500)).ResponseAsync);

        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        Assert.Single(attempts);
    }

    [Fact]
    public async Task Whoever_gives_up_while_it_waits_gets_Cancelled()
    {
        var config = Retry();
        config.RetryPolicy!.InitialBackoff = config.RetryPolicy.MaxBackoff = TimeSpan.FromMinutes(10);
        using var failed = new SemaphoreSlim(0);
        var client = Client(config, () => { failed.Release(); return Failure("14", "", null); }, Succeeds());
        using var gaveUp = new CancellationTokenSource();

        var call = client.UnaryAsync(new ProbeRequest(), cancellationToken: gaveUp.Token);
        await failed.WaitAsync();
        await gaveUp.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
        Assert.Single(attempts);
    }

    [Fact]
    public async Task Too_many_failures_stop_retries()
    {
        var config = new ServiceConfig
        {
            MethodConfigs = { Retry() },
            RetryThrottling = new RetryThrottlingPolicy { MaxTokens = 4, TokenRatio = 0.1 },
        };
        var client = Client(config, [.. Enumerable.Range(0, 20).Select(_ => Fails("14"))]);

        await Assert.ThrowsAsync<RpcException>(() => client.UnaryAsync(new ProbeRequest()).ResponseAsync);
        Assert.Equal(2, attempts.Count);
        await Assert.ThrowsAsync<RpcException>(() => client.UnaryAsync(new ProbeRequest()).ResponseAsync);
        Assert.Equal(3, attempts.Count);
    }

    [Fact]
    public async Task Hedging_takes_the_first_good_answer()
    {
        var hedging = new MethodConfig
        {
            Names = { MethodName.Default },
            HedgingPolicy = new HedgingPolicy { MaxAttempts = 3, HedgingDelay = TimeSpan.FromMilliseconds(1), NonFatalStatusCodes = { StatusCode.Unavailable } },
        };
        var client = Client(hedging, () => null, Fails("14"), Succeeds());

        Assert.Equal("canned", (await client.UnaryAsync(new ProbeRequest())).Text);
        Assert.Equal(3, attempts.Count);

        attempts.Clear();
        var fatal = Client(hedging, Fails("5"), Succeeds(), Succeeds());
        var ended = await Record.ExceptionAsync(() => fatal.UnaryAsync(new ProbeRequest()).ResponseAsync);
        Assert.True(ended is null or RpcException { StatusCode: StatusCode.NotFound }, ended?.ToString());
    }

    [Fact]
    public void A_policy_that_cannot_work_is_refused()
    {
        var empty = Client(new MethodConfig { Names = { MethodName.Default }, RetryPolicy = new RetryPolicy() });
        Assert.Throws<InvalidOperationException>(() => empty.UnaryAsync(new ProbeRequest()));
        var config = Retry();
        config.HedgingPolicy = new HedgingPolicy { MaxAttempts = 2 };
        var both = Client(config);
        Assert.Throws<InvalidOperationException>(() => both.UnaryAsync(new ProbeRequest()));
    }

    private static MethodConfig Retry() => new()
    {
        Names = { new MethodName { Service = "nearline.grpc.tests.Probe" } },
        RetryPolicy = new RetryPolicy
        {
            MaxAttempts = 3,
            InitialBackoff = TimeSpan.FromMilliseconds(1),
            MaxBackoff = TimeSpan.FromMilliseconds(2),
            BackoffMultiplier = 2,
            RetryableStatusCodes = { StatusCode.Unavailable },
        },
    };

    private static Func<HttpResponseMessage?> Succeeds() => () =>
    {
        var response = FakeHandler.Response(Reply);
        response.TrailingHeaders.Add("probe", "last");
        return response;
    };

    private static Func<HttpResponseMessage?> Fails(string status, string message = "", string? pushback = null) =>
        () => Failure(status, message, pushback);

    // A status in the headers: no response has begun.
    private static HttpResponseMessage Failure(string status, string message, string? pushback)
    {
        var response = FakeHandler.Response([], status: null);
        response.Headers.Add("grpc-status", status);
        response.Headers.Add("grpc-message", message);
        if (pushback is not null)
        {
            response.Headers.Add("grpc-retry-pushback-ms", pushback);
        }

        return response;
    }

    private Probe.ProbeClient Client(MethodConfig config, params Func<HttpResponseMessage?>[] answers) =>
        Client(new ServiceConfig { MethodConfigs = { config } }, answers);

    private Probe.ProbeClient Client(ServiceConfig config, params Func<HttpResponseMessage?>[] answers) =>
        new(GrpcChannel.ForAddress("http://fake", new GrpcChannelOptions
        {
            ServiceConfig = config,
            HttpHandler = new ScriptedHandler(attempts, answers),
        }));

    /// <summary>Answers the first request by the first answer, and so on; null: not at all.</summary>
    private sealed class ScriptedHandler(List<string> attempts, Func<HttpResponseMessage?>[] answers) : HttpMessageHandler
    {
        private int next;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            int number;
            lock (attempts)
            {
                attempts.Add(request.Headers.TryGetValues("grpc-previous-rpc-attempts", out var previous) ? previous.Single() : "");
                number = next++;
            }

            if (answers[number]() is { } answer)
            {
                return answer;
            }

            await Task.Delay(Timeout.Infinite, cancellationToken);
            throw new InvalidOperationException();
        }
    }
}
