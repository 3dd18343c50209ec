using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nearline.LocalServers.Processes;
using Nearline.LocalServers.Redis;
using StackExchange.Redis;

namespace Nearline.LocalServers.Tests;

public sealed class RedisServerTests
{
    public static TheoryData<RedisServerKind> Kinds
    {
        get
        {
            var kinds = new TheoryData<RedisServerKind> { RedisServerKind.Garnet };
            if (Programs.Find("redis-server") is not null)
            {
                kinds.Add(RedisServerKind.Redis);
            }

            return kinds;
        }
    }

    private static Task<ConnectionMultiplexer> ConnectAsync(RedisServer server, string more = "") =>
        ConnectionMultiplexer.ConnectAsync(server.Address + ",connectTimeout=10000" + more);

    /// <summary>Closes at once: version 1.2.6 otherwise waits a whole syncTimeout for the answer to its QUIT.</summary>
    private static void Close(ConnectionMultiplexer connection) => connection.Close(allowCommandsToComplete: false);

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Commands_and_scripts_run_and_a_killed_server_restarts_empty_on_its_port(RedisServerKind kind)
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { Kind = kind });
        Assert.Equal(kind, server.Kind);
        var address = server.Address;

        using (var connection = await ConnectAsync(server))
        {
            var database = connection.GetDatabase();
            byte[] bytes = [0, 1, 255, 13, 10];
            await database.StringSetAsync("nl:{u1}:state", bytes);
            Assert.Equal(bytes, (byte[]?)await database.StringGetAsync("nl:{u1}:state"));

            const string Script = """
                redis.call('SET', KEYS[1], ARGV[1], 'EX', 60)
                return redis.call('GET', KEYS[1]) .. '!'
                """;
            var result = await database.ScriptEvaluateAsync(Script, ["nl:{u1}:set:home"], ["hello"]);
            Assert.Equal("hello!", (string?)result);
            Assert.InRange((await database.KeyTimeToLiveAsync("nl:{u1}:set:home"))!.Value.TotalSeconds, 1, 60);
            Close(connection);
        }

        var killed = server.ProcessId!.Value;
        await server.KillAsync();
        Assert.False(server.IsRunning);
        Assert.Null(server.ProcessId);
        await server.RestartAsync();
        Assert.Equal(address, server.Address);
        Assert.NotEqual(killed, server.ProcessId);

        using (var connection = await ConnectAsync(server))
        {
            Assert.True((await connection.GetDatabase().StringGetAsync("nl:{u1}:state")).IsNull);
            Close(connection);
        }

        await server.StopAsync();
        await server.StopAsync();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await Assert.ThrowsAsync<SocketException>(() => socket.ConnectAsync(IPAddress.Loopback, server.Port));
    }

    [Fact]
    public async Task Redis_cli_talks_to_it()
    {
        await using var server = await RedisServer.StartAsync();
        await using var cli = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "redis-cli",
            Arguments = ["-h", "127.0.0.1", "-p", server.Port.ToString(CultureInfo.InvariantCulture), "SET", "k", "v"],
        });
        Assert.Equal(0, await cli.WaitForExitAsync().WaitAsync(Wait.Long));
        Assert.Equal(["OK"], cli.LastLines);
    }

    [Fact]
    public async Task A_taken_port_is_an_error_that_shows_what_the_server_said()
    {
        await using var first = await RedisServer.StartAsync();
        var error = await Assert.ThrowsAsync<ChildProcessException>(
            () => RedisServer.StartAsync(new RedisServerOptions { Kind = first.Kind, Port = first.Port }));
        Assert.Contains("in use", error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.True(first.IsRunning);
    }

    [Fact]
    public async Task Extra_arguments_reach_the_server()
    {
        if (Programs.Find("redis-server") is null)
        {
            return;
        }

        await using var server = await RedisServer.StartAsync(new RedisServerOptions
        {
            Kind = RedisServerKind.Redis,
            ExtraArguments = ["--maxmemory", "7mb"],
        });
        using var connection = await ConnectAsync(server, ",allowAdmin=true");
        var settings = await connection.GetServer(server.Address).ConfigGetAsync("maxmemory");
        Assert.Equal("7340032", Assert.Single(settings).Value);
        Close(connection);
    }

    [Fact]
    public async Task A_bad_port_is_refused()
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(
            () => RedisServer.StartAsync(new RedisServerOptions { Port = 70000 }));
        Assert.Contains("70000", error.Message, StringComparison.Ordinal);
    }
}
