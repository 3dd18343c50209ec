using System.Runtime.CompilerServices;
using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Index.Hnsw;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Index.Hnsw;

public sealed class HnswFileTests : IDisposable
{
    private readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void The_file_is_the_same_whatever_the_number_of_threads_and_another_for_another_seed()
    {
        var data = HnswData.Create(1, 5000, 24, 0.3);
        byte[] Saved(int threads, ulong seed = 1)
        {
            var path = Path.Combine(directory.Path, $"{threads}-{seed}");
            data.Build(new HnswSettings { BuildThreads = threads, Seed = seed }).Save(path);
            return File.ReadAllBytes(path);
        }

        var one = Saved(1);
        Assert.Equal(one, Saved(2));
        Assert.Equal(one, Saved(7));
        Assert.NotEqual(one, Saved(1, seed: 2));
    }

    [Fact]
    public void An_opened_index_finds_the_same_and_saves_the_same() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var c = HnswCase.Create(seed);
            var (path, again) = (Path.Combine(directory.Path, "one"), Path.Combine(directory.Path, "again"));
            var built = HnswIndex.Build(c.Rows, c.Dimension, c.Settings);
            built.Save(path);
            var opened = HnswIndex.Open(path, threads: c.Settings.Threads);
            Assert.Equal(built.MemoryBytes, opened.MemoryBytes);
            Assert.Equal(c.Settings with { BuildThreads = null }, opened.Settings);
            HnswCase.AssertEqual(built.Search(c.Queries, c.Limit, c.Masks), opened.Search(c.Queries, c.Limit, c.Masks));
            HnswCase.AssertEqual(
                built.With(HnswData.AlwaysWalk).Search(c.Queries, c.Limit, c.Masks, 3),
                opened.With(HnswData.AlwaysWalk).Search(c.Queries, c.Limit, c.Masks, 3));
            for (var row = 0; row < c.Count; row++)
            {
                Assert.Equal(built.Row(row), opened.Row(row));
            }

            // Replacing the file leaves what is mapped as it is.
            opened.Save(again);
            Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(again));
            opened.Save(path);
            GC.KeepAlive(opened);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(30));

    [Fact]
    public void A_mapping_lives_as_long_as_its_index_and_no_longer()
    {
        var path = Path.Combine(directory.Path, "index");
        HnswData.Create(1, 3000, 16, 0.2).Build().Save(path);
        var mapping = Use(path);
        for (var i = 0; i < 10 && mapping.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(mapping.IsAlive);
    }

    [Fact]
    public void A_file_that_is_not_whole_or_not_one_is_refused_by_name()
    {
        var path = Path.Combine(directory.Path, "index");
        HnswData.Create(1, 500, 16, 0.2).Build().Save(path);
        var sound = File.ReadAllBytes(path);
        HnswIndex.Open(path);

        Assert.Contains("is empty", Refused([]), StringComparison.Ordinal);
        Assert.Contains("as short", Refused(sound[..100]), StringComparison.Ordinal);
        Assert.Contains($"must be {sound.Length}", Refused(sound[..^4096]), StringComparison.Ordinal);
        Assert.Contains($"must be {sound.Length}", Refused([.. sound, 0]), StringComparison.Ordinal);
        Assert.Contains("no HNSW index", Refused([.. "PK"u8, .. sound[2..]]), StringComparison.Ordinal);
        Assert.Contains("version", Refused(With(8, 99)), StringComparison.Ordinal);
        Assert.Contains("header's checksum", Refused(With(16, 1)), StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => HnswIndex.Open(Path.Combine(directory.Path, "none")));

        // Any byte after the header's page, and any of the header.
        var random = new Random(1);
        for (var i = 0; i < 50; i++)
        {
            Assert.Contains("changed since it was written", Refused(With(random.Next(4096, sound.Length), 1)), StringComparison.Ordinal);
        }

        for (var at = 0; at < Unsafe.SizeOf<HnswHeader>(); at++)
        {
            Refused(With(at, 1));
        }

        byte[] With(int at, byte flipped)
        {
            var bytes = (byte[])sound.Clone();
            bytes[at] ^= flipped;
            return bytes;
        }

        string Refused(byte[] bytes)
        {
            var broken = Path.Combine(directory.Path, "broken");
            File.WriteAllBytes(broken, bytes);
            var message = Assert.Throws<InvalidDataException>(() => HnswIndex.Open(broken)).Message;
            Assert.Contains(broken, message, StringComparison.Ordinal);
            return message;
        }
    }

    // In a method of its own, so that nothing here keeps what it used.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Use(string path)
    {
        var index = HnswIndex.Open(path);
        Assert.Single(index.Search(new float[16], 1, [])[0].Rows);
        return new WeakReference(index);
    }
}
