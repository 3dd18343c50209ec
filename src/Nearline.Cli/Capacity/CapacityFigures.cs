namespace Nearline.Cli.Capacity;

/// <summary>All numbers that capacity is computed from.</summary>
internal sealed record CapacityFigures
{
    /// <summary>Bytes that Redis takes for a state and a list of watched shows.</summary>
    public required Figure StateBytes { get; init; }

    /// <summary>Bytes that Redis takes for a set.</summary>
    public required Figure SetBytes { get; init; }

    /// <summary>Sets of a user: scenarios that the user is served in.</summary>
    public required Figure SetsPerUser { get; init; }

    /// <summary>Users a second whose sets one core, or one GPU, makes: tower, index and all else.</summary>
    public required Figure UsersPerSecond { get; init; }

    /// <summary>Events of a subscriber and day, on average over all subscribers.</summary>
    public required Figure EventsPerDay { get; init; }

    /// <summary>The share of events that renew sets.</summary>
    public required Figure RenewingShare { get; init; }

    /// <summary>How many times the average the busiest hour has.</summary>
    public required Figure PeakFactor { get; init; }

    /// <summary>The share of subscribers who were there within the sets' time to live.</summary>
    public required Figure ActiveShare { get; init; }

    /// <summary>How busy cores and memory may be.</summary>
    public required Figure Utilization { get; init; }

    /// <summary>Cores, or GPUs, of a worker.</summary>
    public required Figure UnitsPerWorker { get; init; }

    /// <summary>Memory of a Redis master, bytes.</summary>
    public required Figure MasterBytes { get; init; }

    /// <summary>Copies of each master.</summary>
    public required Figure Replicas { get; init; }

    /// <summary>Price of a core, or a GPU, an hour.</summary>
    public required Figure UnitPrice { get; init; }

    /// <summary>Price of a gigabyte of Redis memory an hour.</summary>
    public required Figure MemoryPrice { get; init; }

    /// <summary>What makes sets: <c>core</c> or <c>GPU</c>.</summary>
    public required string Unit { get; init; }

    /// <summary>In the order in which they are used.</summary>
    public IEnumerable<Figure> All =>
    [
        EventsPerDay, RenewingShare, PeakFactor, UsersPerSecond, Utilization, UnitsPerWorker, ActiveShare, StateBytes, SetBytes,
        SetsPerUser, MasterBytes, Replicas, UnitPrice, MemoryPrice,
    ];
}
