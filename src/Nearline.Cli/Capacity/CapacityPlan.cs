using System.Globalization;

namespace Nearline.Cli.Capacity;

/// <summary>What a number of subscribers needs.</summary>
/// <param name="Subscribers">How many.</param>
/// <param name="Events">Events a second in the busiest hour.</param>
/// <param name="Renewals">Users a second whose sets are renewed then.</param>
/// <param name="Workers">Worker processes.</param>
/// <param name="Partitions">Partitions of the topic of events.</param>
/// <param name="RedisBytes">Redis memory of all masters, without copies.</param>
/// <param name="Masters">Redis masters.</param>
/// <param name="WriteBytes">Bytes a second that are written to the masters in the busiest hour.</param>
/// <param name="MonthlyCost">In the currency of the prices.</param>
/// <param name="Steps">The arithmetic, line by line.</param>
internal sealed record CapacityPlan(
    double Subscribers,
    double Events,
    double Renewals,
    double Workers,
    double Partitions,
    double RedisBytes,
    double Masters,
    double WriteBytes,
    double MonthlyCost,
    IReadOnlyList<string> Steps)
{
    private const double SecondsPerDay = 86_400;
    private const double HoursPerMonth = 730;
    private const double Gigabyte = 1e9;

    /// <summary>Computes it.</summary>
    /// <param name="subscribers">More than 0.</param>
    /// <param name="f">From what.</param>
    public static CapacityPlan Of(double subscribers, CapacityFigures f)
    {
        var steps = new List<string>();
        var (n, unit) = (subscribers, f.Unit);
        var events = Step("events/s at peak", n * f.EventsPerDay.Value / SecondsPerDay * f.PeakFactor.Value,
            $"{n:N0} subscribers x {f.EventsPerDay.Value:0.##} events / {SecondsPerDay:N0} s x {f.PeakFactor.Value:0.##}");
        var renewals = Step("renewals/s at peak", events * f.RenewingShare.Value, $"{events:N0} x {f.RenewingShare.Value:0.##}");
        var units = Step($"{unit}s", Math.Ceiling(renewals / (f.UsersPerSecond.Value * f.Utilization.Value)),
            $"{renewals:N0} / ({f.UsersPerSecond.Value:N0} users/s x {f.Utilization.Value:0.##})");
        var workers = Step("workers", Math.Max(2, Math.Ceiling(units / f.UnitsPerWorker.Value)),
            $"{units:N0} {unit}s / {f.UnitsPerWorker.Value:0.##}, 2 at least, so that one can fail");
        var partitions = Step("partitions", Math.Max(12, Math.Pow(2, Math.Ceiling(Math.Log2(workers * 2)))),
            $"2 x {workers:N0} workers, the next power of 2, 12 at least: they share evenly and can double");
        var states = Step("state bytes", n * f.StateBytes.Value, $"{n:N0} x {f.StateBytes.Value:N0}");
        var sets = Step("set bytes", n * f.ActiveShare.Value * f.SetsPerUser.Value * f.SetBytes.Value,
            $"{n:N0} x {f.ActiveShare.Value:0.##} active x {f.SetsPerUser.Value:0.##} sets x {f.SetBytes.Value:N0}");
        var masters = Step("Redis masters", Math.Max(3, Math.Ceiling((states + sets) / (f.MasterBytes.Value * f.Utilization.Value))),
            $"({states / Gigabyte:N1} + {sets / Gigabyte:N1}) GB / ({f.MasterBytes.Value / Gigabyte:N0} GB x {f.Utilization.Value:0.##}), 3 at least, as a cluster needs");
        var writes = Step("bytes/s written at peak", renewals * ((f.SetsPerUser.Value * f.SetBytes.Value) + f.StateBytes.Value),
            $"{renewals:N0} x ({f.SetsPerUser.Value:0.##} x {f.SetBytes.Value:N0} + {f.StateBytes.Value:N0}), {renewals / masters:N0} scripts/s a master");
        var cost = Step("cost a month", HoursPerMonth * (
                (workers * f.UnitsPerWorker.Value * f.UnitPrice.Value) +
                (masters * (1 + f.Replicas.Value) * f.MasterBytes.Value / Gigabyte * f.MemoryPrice.Value)),
            $"{HoursPerMonth:N0} h x ({workers * f.UnitsPerWorker.Value:N0} {unit}s x {f.UnitPrice.Value:0.####} + {masters * (1 + f.Replicas.Value):N0} x {f.MasterBytes.Value / Gigabyte:N0} GB x {f.MemoryPrice.Value:0.####})");
        Step("hours of a backfill at night", n * f.ActiveShare.Value / (units * f.UsersPerSecond.Value * Math.Max(0.05, f.Utilization.Value - (f.Utilization.Value / f.PeakFactor.Value))) / 3600,
            $"{n * f.ActiveShare.Value:N0} users / ({units:N0} x {f.UsersPerSecond.Value:N0} users/s x what the average hour leaves of {f.Utilization.Value:0.##})");
        return new CapacityPlan(n, events, renewals, workers, partitions, states + sets, masters, writes, cost, steps);

        double Step(string name, double value, FormattableString how)
        {
            steps.Add(string.Create(CultureInfo.InvariantCulture, $"{name} = {how.ToString(CultureInfo.InvariantCulture)} = {Short(value)}"));
            return value;
        }
    }

    private static string Short(double value) => value switch
    {
        < 10 and not 0 when value != Math.Round(value) => value.ToString("0.##", CultureInfo.InvariantCulture),
        _ => value.ToString("N0", CultureInfo.InvariantCulture),
    };
}
