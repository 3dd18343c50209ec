using System.CommandLine;
using Nearline.Bench.Api;
using Nearline.Bench.Gpu;
using Nearline.Bench.Graph;
using Nearline.Bench.Hnsw;
using Nearline.Bench.Index;
using Nearline.Bench.Swap;
using Nearline.Bench.Tower;
using Nearline.Bench.Training;
using Nearline.Bench.Worker;

// One command a benchmark; the scripts beside this project start them and their peers in turns.
return await new RootCommand("our side of the benchmarks in bench/")
{
    ApiCommand.Create(),
    GpuCheckCommand.Create(),
    GraphCommand.Create(),
    HnswCommand.Create(),
    IndexCommand.Create(),
    RetrievalCommand.Create(),
    SwapCommand.Create(),
    TowerCommand.Create(),
    TrainingCommand.Create(),
    WorkerCommand.Create(),
}
    .Parse(args).InvokeAsync().ConfigureAwait(false);
