using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Nearline.Model.Index;
using Nearline.Worker.Models;
using static TorchSharp.torch;

namespace Nearline.Bench.Swap;

/// <summary>
/// Batches of queries come at a fixed rate to the worker's model host, whatever it does, and each one's latency counts
/// from when it was due. Meanwhile indexes are built and swapped, or not.
/// </summary>
internal sealed class SwapSide : IDisposable
{
    private const int Batches = 32;

    private readonly SwapOptions options;
    private readonly float[][] matrices;
    private readonly float[][] queries;
    private readonly Dictionary<string, int[]> expected = new(StringComparer.Ordinal);
    private readonly ModelHost host = new();
    private readonly double buildSeconds;
    private int swaps;

    public SwapSide(SwapOptions options)
    {
        this.options = options;
        matrices = [Clusters.Rows(options.Count, options.Dimension, 1), Clusters.Rows(options.Count, options.Dimension, 2)];
        queries = [.. Enumerable.Range(0, Batches).Select(b => Around(matrices[0], b))];
        for (var m = 0; m < matrices.Length; m++)
        {
            swaps = m;
            using var alone = Build();
            expected[alone.ModelVersion] = [.. queries.Select(q => HashOf(alone.Searched.Search(q, options.Limit, [])))];
        }

        swaps = 0;
        IndexRetriever? first = null;
        buildSeconds = Measured.Of(() => first = Build()).Seconds;
        host.SwapAsync(first!, CancellationToken.None).GetAwaiter().GetResult();
    }

    public object Describe() => new { options.Count, options.Dimension, host.Index!.Backend, BuildSeconds = buildSeconds, Info = host.Index.ToString() };

    /// <summary>Asks at the rate for some seconds.</summary>
    public object Round(bool withSwaps, double seconds)
    {
        using var stop = new CancellationTokenSource();
        var before = swaps;
        var swapping = withSwaps ? Task.Factory.StartNew(() => KeepSwapping(stop.Token), stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default) : null;
        var latencies = new ConcurrentBag<double>();
        var wrong = 0;
        var asked = new List<Task>();
        var paused = GC.GetTotalPauseDuration();
        var start = Stopwatch.GetTimestamp();
        var count = (int)(seconds * options.Rate / options.Batch);
        for (var i = 0; i < count; i++)
        {
            var due = TimeSpan.FromSeconds((double)i * options.Batch / options.Rate);
            if (due - Stopwatch.GetElapsedTime(start) is var early && early > TimeSpan.Zero)
            {
                Thread.Sleep(early);
            }

            var batch = i % queries.Length;
            asked.Add(host.RunAsync(
                model =>
                {
                    var found = ((IndexRetriever)model).Searched.Search(queries[batch], options.Limit, []);
                    latencies.Add((Stopwatch.GetElapsedTime(start) - due).TotalMilliseconds);
                    if (HashOf(found) != expected[model.ModelVersion][batch])
                    {
                        Interlocked.Increment(ref wrong);
                    }

                    return true;
                },
                CancellationToken.None));
        }

        Task.WaitAll([.. asked]);
        stop.Cancel();
        swapping?.GetAwaiter().GetResult();
        double[] sorted = [.. latencies.Order()];
        return new
        {
            Batches = sorted.Length,
            Swaps = swaps - before,
            Failed = asked.Count(t => !t.IsCompletedSuccessfully),
            Wrong = wrong,
            P50 = At(sorted, 0.5),
            P99 = At(sorted, 0.99),
            Max = sorted[^1],
            GcPause = (GC.GetTotalPauseDuration() - paused).TotalMilliseconds,
        };
    }

    public void Dispose() => host.Dispose();

    private static double At(double[] sorted, double share) => sorted[(int)Math.Min(sorted.Length - 1, Math.Ceiling(share * sorted.Length) - 1)];

    private static int HashOf(SearchResult[] found)
    {
        var hash = default(HashCode);
        foreach (var result in found)
        {
            hash.AddBytes(MemoryMarshal.AsBytes<int>(result.Rows));
            hash.AddBytes(MemoryMarshal.AsBytes<float>(result.Scores));
        }

        return hash.ToHashCode();
    }

    private void KeepSwapping(CancellationToken stop)
    {
        while (!stop.WaitHandle.WaitOne(options.Every))
        {
            swaps++;
            host.SwapAsync(Build(), CancellationToken.None).GetAwaiter().GetResult();
        }
    }

    /// <summary>As the worker builds an index when it loads a model.</summary>
    private IndexRetriever Build()
    {
        var which = swaps % matrices.Length;
        return new IndexRetriever($"v{which}", IndexChoice.Build(matrices[which], options.Dimension, CPU, new BackendOptions { Backend = options.Backend, Limit = options.Limit }));
    }

    private float[] Around(float[] rows, int seed)
    {
        var random = new Random(seed);
        var batch = new float[options.Batch * options.Dimension];
        for (var query = 0; query < options.Batch; query++)
        {
            for (var part = 0; part < 5; part++)
            {
                var row = random.Next(options.Count);
                for (var i = 0; i < options.Dimension; i++)
                {
                    batch[(query * options.Dimension) + i] += rows[(row * options.Dimension) + i] + (0.02f * Clusters.Normal(random));
                }
            }
        }

        return batch;
    }
}
