using System.Runtime.InteropServices;
using Nearline.Model;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data.Simulation;
using Nearline.Model.Index;
using Nearline.Model.Serving;
using Nearline.Worker.Events;
using Nearline.Worker.State;
using Nearline.Worker.Tests.Support;

namespace Nearline.Worker.Tests.Pipeline;

/// <summary>The counters are the process's, so nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;

/// <summary>What the collector does not see stays as it is, however many events go through fold, tower and index.</summary>
[Collection(nameof(AloneCollection))]
public sealed class NativeMemoryTests : IDisposable
{
    private const int Events = 1_000_000;
    private const int EventsOfUser = 40;
    private const int UsersOfBatch = 256;

    /// <summary>The runtime itself allocates now and then. One tensor's header left behind a batch would be more.</summary>
    private const long Allowed = 4_000_000;

    private readonly string models = Directory.CreateTempSubdirectory("nearline-models-").FullName;

    public void Dispose() => Directory.Delete(models, recursive: true);

    [Fact]
    public void Native_memory_is_flat_over_a_million_events()
    {
        var world = SimulatedWorld.Generate(SimulationOptions.Tiny);
        var bundle = M5Bundle.WriteUntrained(world, M5Config.Small, models, version: "v1");
        using var retriever = M5Retriever.Load(bundle, "cpu", null, new BackendOptions { Backend = IndexBackends.ExactCpu }, ServingPrecision.Float32);
        var random = new Random(1);
        var users = Enumerable.Range(0, 600).Select(i => StoredUser.New($"u{i}", 128)).ToArray();
        var offset = 0L;
        var (tensors, bytes) = (0L, 0L);
        var batches = Events / EventsOfUser / UsersOfBatch;
        for (var batch = 0; batch < batches; batch++)
        {
            if (batch == batches / 8)
            {
                // By now all that is kept for reuse is there.
                (tensors, bytes) = (TorchSharp.torch.Tensor.TotalCount, Allocated());
            }

            random.Shuffle(users);
            var now = Records.Now.AddMinutes(batch);
            foreach (var user in users.AsSpan(0, UsersOfBatch))
            {
                for (var i = 0; i < EventsOfUser; i++)
                {
                    var kind = random.Next(4) switch { 0 => ActionKind.Save, 1 => ActionKind.Like, _ => ActionKind.Watch };
                    var action = new UserAction(kind, now.AddSeconds(i)) { ShowId = world.Shows[random.Next(world.Shows.Count)].Id };
                    user.Fold(new UserEventRecord(user.UserId, action, $"e{offset}", (ulong)offset, "t", 0, offset++));
                }
            }

            var found = retriever.Retrieve([.. users.Take(UsersOfBatch).Select(u => new RetrievalRequest(u.UserId, u.History, now))], 20);
            Assert.Equal(UsersOfBatch, found.Users.Count);
        }

        Assert.Equal(tensors, TorchSharp.torch.Tensor.TotalCount);
        var grown = Allocated() - bytes;
        Assert.True(grown < Allowed, $"{grown:N0} bytes more are allocated natively after {offset:N0} events, {(double)grown / offset:0.###} an event");
    }

    /// <summary>Bytes that native code has allocated and not freed.</summary>
    private static long Allocated()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var info = MallInfo();
        return (long)(info.InUse + info.Mapped);
    }

    [DllImport("libc.so.6", EntryPoint = "mallinfo2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern MallocInfo MallInfo();

    [StructLayout(LayoutKind.Explicit, Size = 80)]
    private readonly struct MallocInfo
    {
        /// <summary>hblkhd: in blocks of their own.</summary>
        [field: FieldOffset(32)]
        public nuint Mapped { get; }

        /// <summary>uordblks: in arenas.</summary>
        [field: FieldOffset(56)]
        public nuint InUse { get; }
    }
}
