using Google.Protobuf;
using Grpc.Core;
using Grpc.Tests.Proto;
using Grpc.Tests.Support;

namespace Grpc.Tests;

/// <summary>Runs alone: what it measures is the process's.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;

/// <summary>Many calls at once.</summary>
[Collection(nameof(AloneCollection))]
public sealed class ConcurrencyTests
{
    private const int Workers = 50;

    [Fact]
    public async Task Thousands_of_unary_calls_at_once_all_get_their_own_answer()
    {
        await using var server = await TestServer.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(async worker =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 100; i++)
            {
                var payload = new byte[random.Next(3000)];
                random.NextBytes(payload);
                var request = new ProbeRequest { Text = $"{worker}/{i}", Payload = ByteString.CopyFrom(payload) };
                var reply = await server.Client.UnaryAsync(request, deadline: DateTime.UtcNow.AddSeconds(30));
                Assert.Equal("re:" + request.Text, reply.Text);
                Assert.Equal(request.Payload, reply.Payload);
            }
        }));
    }

    [Fact]
    public async Task More_streams_at_once_than_a_connection_takes()
    {
        await using var server = await TestServer.StartAsync();
        var calls = Enumerable.Range(0, 250).Select(_ => server.Client.Duplex()).ToList();
        await Task.WhenAll(calls.Select(async (call, i) =>
        {
            await call.RequestStream.WriteAsync(new ProbeRequest { Text = $"{i}" });
            Assert.True(await call.ResponseStream.MoveNext(default));
            Assert.Equal($"re:{i}", call.ResponseStream.Current.Text);
        }));
        await Task.WhenAll(calls.Select(async call =>
        {
            await call.RequestStream.CompleteAsync();
            Assert.False(await call.ResponseStream.MoveNext(default));
            call.Dispose();
        }));
    }

    [Fact]
    public async Task Buffers_of_ended_calls_are_used_again()
    {
        await using var server = await TestServer.StartAsync();
        var request = new ProbeRequest { Payload = ByteString.CopyFrom(new byte[64 * 1024]) };
        await CallAsync(200);
        var heap = GC.GetTotalMemory(forceFullCollection: true);
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        const int count = 1000;
        await CallAsync(count);
        var perCall = (GC.GetTotalAllocatedBytes(precise: true) - allocated) / count;
        var growth = GC.GetTotalMemory(forceFullCollection: true) - heap;

        // The server's request and the client's reply own their payload: 128 KiB. Everything else is pooled.
        Assert.InRange(perCall, 0, 200 * 1024);
        Assert.InRange(growth, long.MinValue, 16 * 1024 * 1024);

        async Task CallAsync(int calls) =>
            await Parallel.ForAsync(
                0,
                calls,
                new ParallelOptions { MaxDegreeOfParallelism = 8 },
                async (_, token) =>
                    Assert.Equal(request.Payload.Length, (await server.Client.UnaryAsync(request, cancellationToken: token)).Payload.Length));
    }
}
