using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Nearline.Api.Tests.Support;

namespace Nearline.Api.Tests.Contract;

/// <summary>A client of another make, in a process of its own, that makes calls as it is told.</summary>
internal sealed class PeerClient : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly Process _process;
    private readonly Task _reading;
    private readonly Task<string> _errors;
    private readonly ConcurrentDictionary<int, Channel<Line>> _calls = new();
    private int _last;

    private PeerClient(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
        _reading = ReadAsync();
    }

    public static PeerClient Python(string address, Tls? tls = null) =>
        Start("/usr/bin/python3", [Driver("driver.py"), address], tls);

    public static PeerClient Node(string address, Tls? tls = null) =>
        Start("node", [Driver("driver.mjs"), Repository.File("examples/node/package.json"), address], tls);

    /// <summary>Starts a call.</summary>
    public PeerCall Call(
        string method,
        IMessage request,
        bool stream = false,
        int? timeoutMs = null,
        Dictionary<string, string>? metadata = null,
        bool gzip = false,
        int? take = null)
    {
        var id = Interlocked.Increment(ref _last);
        var lines = Channel.CreateUnbounded<Line>();
        _calls[id] = lines;
        var line = JsonSerializer.Serialize(
            new { id, method, request = request.ToByteString().ToBase64(), stream, timeoutMs, metadata, gzip, take }, Json);
        lock (_process)
        {
            _process.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }

        return new PeerCall(lines.Reader, _errors);
    }

    /// <summary>A call from its start to its end.</summary>
    public Task<PeerAnswer> AskAsync(
        string method, IMessage request, int? timeoutMs = null, Dictionary<string, string>? metadata = null, bool gzip = false) =>
        Call(method, request, timeoutMs: timeoutMs, metadata: metadata, gzip: gzip).EndAsync();

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }

    private static string Driver(string name) => Path.Combine(AppContext.BaseDirectory, "Contract", "Drivers", name);

    private static PeerClient Start(string program, string[] arguments, Tls? tls)
    {
        var start = new ProcessStartInfo(program, tls is null ? arguments : [.. arguments, JsonSerializer.Serialize(tls, Json)])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new PeerClient(Process.Start(start)!);
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } text)
        {
            var line = JsonSerializer.Deserialize<Line>(text, Json)!;
            _calls[line.Id].Writer.TryWrite(line);
        }

        foreach (var call in _calls.Values)
        {
            call.Writer.TryComplete();
        }
    }

    /// <summary>Paths of PEM files.</summary>
    internal sealed record Tls(string Ca, string? Cert = null, string? Key = null);

    /// <summary>A message of a call, or its end.</summary>
    internal sealed record Line(
        int Id, string? Message, int? Code, string? Details, Dictionary<string, string>? Trailers, double ElapsedMs);
}

/// <summary>A call under way.</summary>
internal sealed class PeerCall(ChannelReader<PeerClient.Line> lines, Task<string> errors)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly List<byte[]> _messages = [];

    /// <summary>The next message.</summary>
    public async Task<T> NextAsync<T>(MessageParser<T> parser)
        where T : IMessage<T>
    {
        var line = await ReadAsync();
        Assert.True(line.Message is not null, $"the call ended with {(StatusCode?)line.Code}: {line.Details}");
        return parser.ParseFrom(Convert.FromBase64String(line.Message));
    }

    /// <summary>How it ended, with the messages that came till then.</summary>
    public async Task<PeerAnswer> EndAsync()
    {
        while (true)
        {
            var line = await ReadAsync();
            if (line.Code is { } code)
            {
                return new PeerAnswer(
                    (StatusCode)code, line.Details ?? "", line.Trailers ?? [], TimeSpan.FromMilliseconds(line.ElapsedMs), _messages);
            }

            _messages.Add(Convert.FromBase64String(line.Message!));
        }
    }

    private async Task<PeerClient.Line> ReadAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return await lines.ReadAsync(patience.Token);
        }
        catch (ChannelClosedException e)
        {
            throw new InvalidOperationException($"The client ended: {await errors}", e);
        }
    }
}

/// <summary>How a call ended.</summary>
internal sealed record PeerAnswer(
    StatusCode Code, string Details, Dictionary<string, string> Trailers, TimeSpan Elapsed, IReadOnlyList<byte[]> Messages)
{
    public T Only<T>(MessageParser<T> parser)
        where T : IMessage<T>
    {
        Assert.True(Code == StatusCode.OK, $"{Code}: {Details}");
        return parser.ParseFrom(Assert.Single(Messages));
    }
}
