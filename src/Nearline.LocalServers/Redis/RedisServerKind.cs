namespace Nearline.LocalServers.Redis;

/// <summary>Which program serves the Redis protocol.</summary>
public enum RedisServerKind
{
    /// <summary>redis-server when it is on the PATH, else garnet.</summary>
    Auto,

    /// <summary>redis-server.</summary>
    Redis,

    /// <summary>garnet-server, the .NET tool named in .config/dotnet-tools.json.</summary>
    Garnet,
}
