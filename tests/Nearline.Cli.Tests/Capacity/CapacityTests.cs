using Nearline.Cli.Capacity;
using Nearline.Cli.Console;

namespace Nearline.Cli.Tests.Capacity;

public sealed class CapacityTests : IDisposable
{
    private readonly string results = Directory.CreateTempSubdirectory("nearline-results-").FullName;

    public void Dispose() => Directory.Delete(results, recursive: true);

    [Fact]
    public void Plan_is_the_arithmetic_that_it_shows()
    {
        var plan = CapacityPlan.Of(1e6, Figures());

        // 1e6 x 8.64 / 86,400 x 3 = 300; x 0.5 = 150; / (50 x 0.5) = 6 cores; / 2 = 3 workers; 6, next power of two 8, at least 12.
        Assert.Equal((300, 150, 3, 12), (plan.Events, plan.Renewals, plan.Workers, plan.Partitions));

        // 1e6 x 4,000 + 1e6 x 0.25 x 4 x 6,000 = 10 GB; / (1 GB x 0.5) = 20 masters; 150 x 28,000 bytes/s.
        Assert.Equal((10e9, 20, 4.2e6), (plan.RedisBytes, plan.Masters, plan.WriteBytes));

        // 730 x (6 x 0.1 + 20 x 2 x 1 x 0.01).
        Assert.Equal(730, plan.MonthlyCost, 6);
        Assert.Contains("events/s at peak = 1,000,000 subscribers x 8.64 events / 86,400 s x 3 = 300", plan.Steps);
        Assert.Contains("renewals/s at peak = 300 x 0.5 = 150", plan.Steps);
    }

    [Fact]
    public void Ten_times_the_subscribers_need_ten_times_the_machines_and_few_still_two_workers_and_a_cluster()
    {
        var (one, ten, few) = (CapacityPlan.Of(1e6, Figures()), CapacityPlan.Of(1e7, Figures()), CapacityPlan.Of(10, Figures()));
        Assert.Equal((30, 64, 200), (ten.Workers, ten.Partitions, ten.Masters));
        Assert.Equal(10, ten.MonthlyCost / one.MonthlyCost, 6);
        Assert.Equal((2, 12, 3), (few.Workers, few.Partitions, few.Masters));
    }

    [Fact]
    public void Rate_of_a_core_is_that_of_tower_and_index_or_of_the_whole_where_it_was_measured()
    {
        Assert.Null(new MeasuredFigures(results).UsersPerCore(4));
        Write("tower.json", """{"lines":[{"case":"m5-paper, 4 scenarios, batch 16, 1 thread","from_histories":200},{"case":"m5-paper, batch 64, 2 threads","from_histories":900}]}""");
        Assert.Null(new MeasuredFigures(results).UsersPerCore(4));
        Write("index.json", """{"lines":[{"case":"even, 70,000 x 256, top 300, 2 threads, exact, batch 16","ours":0.125},{"case":"even, 70,000 x 256, top 300, 2 threads, exact, batch 1","ours":9}]}""");

        // 5 ms for the tower, 4 x 0.125 ms x 2 cores for the index.
        Assert.Equal(0.85 / 0.006, new MeasuredFigures(results).UsersPerCore(4)!.Value, 6);
        Write("worker.json", """{"lines":[{"case":"end to end","unit":"events/s","ours":300,"threads":2}]}""");
        Assert.Equal(150, new MeasuredFigures(results).UsersPerCore(4)!.Value);
        Write("worker.json", "[]");
        Assert.Contains("worker.json is no file of results", Assert.Throws<CliException>(() => new MeasuredFigures(results).UsersPerCore(4)).Message, StringComparison.Ordinal);
    }

    private static CapacityFigures Figures() => new()
    {
        Unit = "core",
        StateBytes = Of(4000),
        SetBytes = Of(6000),
        SetsPerUser = Of(4),
        UsersPerSecond = Of(50),
        EventsPerDay = Of(8.64),
        RenewingShare = Of(0.5),
        PeakFactor = Of(3),
        ActiveShare = Of(0.25),
        Utilization = Of(0.5),
        UnitsPerWorker = Of(2),
        MasterBytes = Of(1e9),
        Replicas = Of(1),
        UnitPrice = Of(0.1),
        MemoryPrice = Of(0.01),
    };

    private static Figure Of(double value) => new("", value, "given");

    private void Write(string file, string json) => File.WriteAllText(Path.Combine(results, file), json);
}
