using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Tests.Proto;
using Grpc.Tests.Support;

namespace Grpc.Tests;

/// <summary>The client for a server of another implementation: grpcio, over gRPC's C core.</summary>
public sealed class PythonServerTests(PythonServerTests.Server server) : IClassFixture<PythonServerTests.Server>
{
    private readonly Probe.ProbeClient client = new(server.Channel);

    [Fact]
    public async Task Unary()
    {
        using var call = client.UnaryAsync(new ProbeRequest { Text = "hé", Count = -3, Payload = ByteString.CopyFrom(0, 1) });
        var reply = await call;
        Assert.Equal(("re:hé", -3), (reply.Text, reply.Count));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Equal("re:x", client.Unary(new ProbeRequest { Text = "x" }).Text);
    }

    [Fact]
    public async Task Server_stream()
    {
        using var call = client.ServerStream(new ProbeRequest { Count = 200 });
        var counts = new List<int>();
        await foreach (var reply in call.ResponseStream.ReadAllAsync())
        {
            counts.Add(reply.Count);
        }

        Assert.Equal(Enumerable.Range(0, 200), counts);
    }

    [Fact]
    public async Task Client_stream()
    {
        using var call = client.ClientStream();
        for (var i = 0; i < 200; i++)
        {
            await call.RequestStream.WriteAsync(new ProbeRequest { Text = $"{i}" });
        }

        await call.RequestStream.CompleteAsync();
        Assert.Equal(string.Join(',', Enumerable.Range(0, 200)), (await call).Text);
    }

    [Fact]
    public async Task Duplex()
    {
        using var call = client.Duplex();
        for (var i = 0; i < 50; i++)
        {
            await call.RequestStream.WriteAsync(new ProbeRequest { Text = $"{i}" });
            Assert.True(await call.ResponseStream.MoveNext(default));
            Assert.Equal($"re:{i}", call.ResponseStream.Current.Text);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
    }

    [Fact]
    public async Task Early_answer_to_a_client_stream()
    {
        using var call = client.ClientStream();
        await call.RequestStream.WriteAsync(new ProbeRequest { Text = "a" });
        await call.RequestStream.WriteAsync(new ProbeRequest { Act = "early" });
        Assert.Equal("a", (await call).Text);
    }

    [Fact]
    public async Task Metadata_both_ways()
    {
        using var call = client.UnaryAsync(
            new ProbeRequest { Act = "headers" },
            new Metadata { { "probe", "a value" }, { "probe-bin", [0, 255, 16] } },
            deadline: DateTime.UtcNow.AddSeconds(30));
        var reply = await call;
        Assert.Equal("a value", reply.Seen["probe"]);
        Assert.Equal("00FF10", reply.Seen["probe-bin"]);
        Assert.StartsWith("grpc-dotnet/", reply.Seen["user-agent"], StringComparison.Ordinal);
        Assert.InRange(double.Parse(reply.Seen["#deadline"], CultureInfo.InvariantCulture), 20, 30.1);

        using var headers = client.UnaryAsync(new ProbeRequest { Act = "response-headers" });
        Assert.Equal("early", (await headers.ResponseHeadersAsync).GetValue("probe-header"));
        Assert.Equal(new byte[] { 0, 1, 254, 255 }, (await headers.ResponseHeadersAsync).GetValueBytes("probe-bin"));
        await headers;

        using var trailers = client.UnaryAsync(new ProbeRequest { Act = "trailers" });
        await trailers;
        Assert.Equal("late", trailers.GetTrailers().GetValue("probe-trailer"));
        Assert.Equal(new byte[] { 3, 2, 1, 0, 200 }, trailers.GetTrailers().GetValueBytes("probe-bin"));
    }

    [Fact]
    public async Task Error_without_messages()
    {
        using var call = client.UnaryAsync(new ProbeRequest { Act = "rpc-exception" });
        var e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(new Status(StatusCode.NotFound, "no such thing: 日本"), e.Status);
        Assert.Equal("yes", e.Trailers.GetValue("probe-error"));
        Assert.Equal(new byte[] { 8, 5, 18, 0 }, e.Trailers.GetValueBytes("grpc-status-details-bin"));

        e = await Assert.ThrowsAsync<RpcException>(() => client.UnaryAsync(new ProbeRequest { Act = "exception" }).ResponseAsync);
        Assert.Equal(StatusCode.Unknown, e.StatusCode);
        e = await Assert.ThrowsAsync<RpcException>(() => client.MissingAsync(new ProbeRequest()).ResponseAsync);
        Assert.Equal(StatusCode.Unimplemented, e.StatusCode);
    }

    [Fact]
    public async Task Error_after_messages()
    {
        using var call = client.ServerStream(new ProbeRequest { Act = "fail-late", Count = 2 });
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.True(await call.ResponseStream.MoveNext(default));
        var e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));
        Assert.Equal(new Status(StatusCode.Aborted, "late"), e.Status);
    }

    [Fact]
    public async Task Deadline()
    {
        var watch = Stopwatch.StartNew();
        var e = await Assert.ThrowsAsync<RpcException>(() => client.UnaryAsync(
            new ProbeRequest { Act = "wait" }, deadline: DateTime.UtcNow.AddMilliseconds(200)).ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        Assert.InRange(watch.ElapsedMilliseconds, 150, 5000);
        await client.UnaryAsync(new ProbeRequest { Act = "await-cancelled" });
    }

    [Fact]
    public async Task Cancellation()
    {
        using var cancellation = new CancellationTokenSource(100);
        using var call = client.ServerStream(new ProbeRequest { Act = "wait" }, cancellationToken: cancellation.Token);
        var e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        await client.UnaryAsync(new ProbeRequest { Act = "await-cancelled" });
    }

    [Fact]
    public async Task Gzip_both_ways()
    {
        var zeros = ByteString.CopyFrom(new byte[100_000]);
        var headers = new Metadata { { "grpc-internal-encoding-request", "gzip" } };
        Assert.Equal(zeros, (await client.UnaryAsync(new ProbeRequest { Payload = zeros }, headers)).Payload);
        Assert.Equal(zeros, (await client.UnaryAsync(new ProbeRequest { Payload = zeros, Act = "no-compress" }, headers)).Payload);

        using var call = client.Duplex(headers);
        await call.RequestStream.WriteAsync(new ProbeRequest { Payload = zeros });
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.Equal(zeros, call.ResponseStream.Current.Payload);
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
    }

    [Fact]
    public async Task Size_limits()
    {
        var e = await Assert.ThrowsAsync<RpcException>(
            () => client.UnaryAsync(new ProbeRequest { Act = "big", Count = 5_000_000 }).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        e = await Assert.ThrowsAsync<RpcException>(
            () => client.UnaryAsync(new ProbeRequest { Payload = ByteString.CopyFrom(new byte[5_000_000]) }).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        Assert.Equal(3_000_000, (await client.UnaryAsync(new ProbeRequest { Act = "big", Count = 3_000_000 })).Payload.Length);
    }

    [Fact]
    public async Task Many_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 500).Select(async i =>
            Assert.Equal($"re:{i}", (await client.UnaryAsync(new ProbeRequest { Text = $"{i}" })).Text)));
    }

    public sealed class Server : IAsyncLifetime
    {
        private PythonProcess python = null!;

        public GrpcChannel Channel { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            python = PythonProcess.Start(
                "server.py",
                SharedReflection.Descriptor.SerializedData.ToBase64(),
                TestReflection.Descriptor.SerializedData.ToBase64());
            var line = await python.Output.ReadLineAsync();
            if (line is null || !line.StartsWith("PORT ", StringComparison.Ordinal))
            {
                throw new InvalidOperationException("The server did not start: " + await python.EndAsync());
            }

            Channel = GrpcChannel.ForAddress($"http://127.0.0.1:{line[5..]}");
        }

        public async Task DisposeAsync()
        {
            Channel.Dispose();
            await python.EndAsync();
            python.Dispose();
        }
    }
}
