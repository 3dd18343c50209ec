using System.Globalization;

namespace Nearline.Model.Data.Simulation;

/// <summary>How large a simulated world is. Equal options give the same world, bit for bit, on every machine.</summary>
/// <remarks>What the world is like inside is told, with reasons, in docs/simulation.md.</remarks>
public sealed record SimulationOptions
{
    /// <summary>A small world for tests: 60 shows, 40 users, 7 days.</summary>
    public static readonly SimulationOptions Tiny = new() { Shows = 60, Users = 40, Days = 7 };

    /// <summary>Which world.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Shows of the catalog, 12 to 200,000.</summary>
    public int Shows { get; init; } = 2000;

    /// <summary>Users, 1 to 10,000,000.</summary>
    public int Users { get; init; } = 1500;

    /// <summary>Days, 2 to 366; the last one is the test set (paper, section 5.1.1: 31 days).</summary>
    public int Days { get; init; } = 31;

    /// <summary>The first day's midnight, UTC.</summary>
    public DateTimeOffset Start { get; init; } = new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The mean of a user's sessions a day, above 0, at most 20.</summary>
    public double SessionsPerDay { get; init; } = 0.9;

    /// <summary>The part of sessions that take place in a Local scenario, 0 to 1; a minority, as in the paper.</summary>
    public double LocalShare { get; init; } = 0.25;

    /// <summary>The part of users with a Live subscription, 0 to 1.</summary>
    public double LiveSubscriberShare { get; init; } = 0.4;

    /// <summary>The part of shows on demand that are released within the days, 0 to 1; a tenth of these on the last.</summary>
    public double LateReleaseShare { get; init; } = 0.1;

    /// <summary>The midnight after the last day.</summary>
    public DateTimeOffset End => Start.AddDays(Days);

    internal void Validate()
    {
        Require(nameof(Shows), Shows, 12, 200_000);
        Require(nameof(Users), Users, 1, 10_000_000);
        Require(nameof(Days), Days, 2, 366);
        Require(nameof(SessionsPerDay), SessionsPerDay, 0.001, 20);
        Require(nameof(LocalShare), LocalShare, 0, 1);
        Require(nameof(LiveSubscriberShare), LiveSubscriberShare, 0, 1);
        Require(nameof(LateReleaseShare), LateReleaseShare, 0, 1);
        RequireMidnight(nameof(Start), Start);
    }

    private static void RequireMidnight(string name, DateTimeOffset value)
    {
        if (value.Offset != TimeSpan.Zero || value.TimeOfDay != TimeSpan.Zero || value.Year is < 1971 or > 9000)
        {
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"{name}: {value:o}: must be midnight, UTC, of the years 1971 to 9000"),
                nameof(value));
        }
    }

    private static void Require(string name, double value, double least, double most)
    {
        if (!(value >= least && value <= most))
        {
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"{name}: {value}: must be from {least} to {most}"),
                nameof(value));
        }
    }
}
