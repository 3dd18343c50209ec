using System.Diagnostics;

namespace Nearline.Model.Index;

/// <summary>Tries what an index costs on its own rows.</summary>
internal static class BackendTrial
{
    /// <summary>Queries of a batch: what a busy worker's micro-batches hold.</summary>
    public const int Batch = 16;

    private const int MinRounds = 3;
    private const int RowsOfQuery = 3;
    private const int Pauses = 4;

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Measures. The fastest round counts: other work on the machine makes rounds slower, none makes them faster.
    /// Queries are the same in every process: sums of rows from all over the index, between clusters as users are.
    /// </summary>
    public static BackendTiming Measure(IItemIndex index, BackendOptions options)
    {
        if (index.Count == 0)
        {
            return new BackendTiming(index.Backend, 0);
        }

        var queries = Queries(index);
        index.Search(queries, options.Limit, []);
        var (fastest, spent) = (TimeSpan.MaxValue, TimeSpan.Zero);
        for (var round = 0; round < MinRounds || spent < options.MeasureFor; round++)
        {
            var began = Stopwatch.GetTimestamp();
            index.Search(queries, options.Limit, []);
            var elapsed = Stopwatch.GetElapsedTime(began);
            spent += elapsed;
            fastest = elapsed < fastest ? elapsed : fastest;

            // Another model serves meanwhile: one of its batches may meet a round, but not a row of them.
            var pause = Pauses * elapsed;
            Thread.Sleep(pause < LongestPause ? pause : LongestPause);
        }

        return new BackendTiming(index.Backend, fastest.TotalMilliseconds / Batch);
    }

    private static float[] Queries(IItemIndex index)
    {
        var queries = new float[Batch * index.Dimension];
        for (var query = 0; query < Batch; query++)
        {
            for (var part = 0; part < RowsOfQuery; part++)
            {
                // Places that lie far apart whatever the count.
                var place = ((query * RowsOfQuery) + part) * 0.6180339887498949;
                var row = index.Row((int)((place - Math.Floor(place)) * index.Count));
                for (var i = 0; i < row.Length; i++)
                {
                    // A third each: sums of large values stay finite.
                    queries[(query * index.Dimension) + i] += row[i] / RowsOfQuery;
                }
            }
        }

        return queries;
    }
}
