namespace Nearline.LocalServers.Redis;

/// <summary>How to start a <see cref="RedisServer"/>.</summary>
public sealed record RedisServerOptions
{
    /// <summary>Which program.</summary>
    public RedisServerKind Kind { get; init; }

    /// <summary>TCP port on 127.0.0.1; 0 picks a free one.</summary>
    public int Port { get; init; }

    /// <summary>Further arguments of the program, such as "--maxmemory", "64mb" for redis-server.</summary>
    public IReadOnlyList<string> ExtraArguments { get; init; } = [];

    /// <summary>How long a start may take before it counts as failed.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Called with each line that the server logs.</summary>
    public Action<string>? OnLine { get; init; }
}
