using System.Text;
using System.Text.Json;
using Nearline.Model.Behaviours;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Bundles;

public sealed class BundleTests : IDisposable
{
    private readonly TempDirectory models = new();

    public void Dispose() => models.Dispose();

    [Fact]
    public void A_bundle_is_read_back_as_it_was_written()
    {
        var bundle = Write("m5-a");
        Assert.Equal(models["m5-a"], bundle.Path);
        var manifest = BundleDirectory.Open(models["m5-a"]).Manifest;
        Assert.Equal(
            (1, "m5-a", Manifest("m5-a").CreatedAt, "m5", 2, "sha256:00"),
            (manifest.Schema, manifest.Version, manifest.CreatedAt, manifest.Kind, manifest.ItemCount, manifest.DataFingerprint));
        Assert.Equal(128, manifest.Hyperparameters.GetProperty("width").GetInt32());
        Assert.Equal(0.25, manifest.Metrics["hr20"]);
        Assert.Equal(["vod", "live"], manifest.Scenarios.Select(s => s.Id));
        Assert.Equal([ShowCategory.Series, ShowCategory.Movie], manifest.Scenarios[0].PoolCategories);
        Assert.Equal(["items", "weights"], manifest.Files.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(5, manifest.Files["weights"].Bytes);
        Assert.Equal("hello", File.ReadAllText(bundle.PathOf("weights")));
        Assert.Contains("lists no file 'index'; it lists items, weights", Assert.Throws<BundleException>(() => bundle.PathOf("index")).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(models.Path, ".tmp-*"));
    }

    [Fact]
    public void Every_byte_flipped_in_any_file_is_refused_by_the_files_name()
    {
        var bundle = Write("m5-a");
        var flips = 0;
        foreach (var file in Directory.GetFiles(bundle.Path))
        {
            var whole = File.ReadAllBytes(file);
            for (var i = 0; i < whole.Length; i++)
            {
                for (var bit = 0; bit < 8; bit++)
                {
                    var flipped = (byte[])whole.Clone();
                    flipped[i] ^= (byte)(1 << bit);
                    File.WriteAllBytes(file, flipped);
                    var error = Assert.Throws<BundleException>(() => BundleDirectory.Open(bundle.Path));
                    Assert.StartsWith(file.Replace(".sha256", "", StringComparison.Ordinal), error.Path, StringComparison.Ordinal);
                    Assert.Contains("expected", error.Message, StringComparison.Ordinal);
                    Assert.Contains("found", error.Message, StringComparison.Ordinal);
                    flips++;
                }
            }

            File.WriteAllBytes(file, whole);
        }

        Assert.True(flips > 8 * 500, $"{flips} flips");
        BundleDirectory.Open(bundle.Path);
    }

    [Theory]
    [InlineData("weights")]
    [InlineData("manifest.json")]
    [InlineData("manifest.json.sha256")]
    public void Missing_and_truncated_files_are_refused_by_name(string name)
    {
        var bundle = Write("m5-a");
        var file = Path.Combine(bundle.Path, name);
        var whole = File.ReadAllBytes(file);
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(file, whole[..length]);
            Assert.Throws<BundleException>(() => BundleDirectory.Open(bundle.Path));
        }

        File.Delete(file);
        var error = Assert.Throws<BundleException>(() => BundleDirectory.Open(bundle.Path));
        Assert.Equal($"{file}: expected the file, found none", error.Message);
    }

    [Fact]
    public void A_file_that_the_manifest_does_not_list_is_refused()
    {
        var bundle = Write("m5-a");
        File.WriteAllText(Path.Combine(bundle.Path, "extra"), "");
        Assert.Contains("extra: expected no such file", Assert.Throws<BundleException>(() => BundleDirectory.Open(bundle.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"schema\": 1", "\"schema\": 2", "schema: expected 1, found 2")]
    [InlineData("\"schema\": 1", "\"schema\": \"1\"", "schema: expected 1, found \"1\"")]
    [InlineData("\"schema\": 1,", "", "schema: missing")]
    [InlineData("\"kind\"", "\"sort\"", "not a manifest: ")]
    [InlineData("\"version\": \"m5-a\"", "\"version\": \"m5-b\"", "version: expected 'm5-a', the directory's name, found 'm5-b'")]
    [InlineData("\"version\": \"m5-a\"", "\"version\": null", "not a manifest: ")]
    [InlineData("\"weights\"", "\"../weights\"", "weights: expected no such file")]
    [InlineData("\"bytes\": 5", "\"bytes\": 6", "weights: expected 6 bytes, found 5")]
    public void A_manifest_that_says_something_else_is_refused(string was, string now, string message)
    {
        var bundle = Write("m5-a");
        Rewrite(bundle.Path, text => text.Replace(was, now, StringComparison.Ordinal));
        var error = Assert.Throws<BundleException>(() => BundleDirectory.Open(bundle.Path));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_cannot_name_files_outside_the_bundle()
    {
        var bundle = Write("m5-a");
        File.Move(Path.Combine(bundle.Path, "weights"), models["weights"]);
        Rewrite(bundle.Path, text => text.Replace("\"weights\"", "\"../weights\"", StringComparison.Ordinal));
        var error = Assert.Throws<BundleException>(() => BundleDirectory.Open(bundle.Path));
        Assert.Contains("files: '../weights': not a file's name", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_existing_version_is_never_overwritten()
    {
        using var late = new BundleWriter(models.Path, "m5-a");
        File.WriteAllText(late.PathOf("weights"), "other");
        Write("m5-a");
        Assert.Contains("exists already", Assert.Throws<BundleException>(() => new BundleWriter(models.Path, "m5-a")).Message, StringComparison.Ordinal);
        Assert.Contains("exists already", Assert.Throws<BundleException>(() => late.Commit(Manifest("m5-a"))).Message, StringComparison.Ordinal);
        late.Dispose();
        Assert.Equal("hello", File.ReadAllText(BundleDirectory.Open(models["m5-a"]).PathOf("weights")));
        Assert.Equal(["m5-a"], Directory.GetFileSystemEntries(models.Path).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("ä")]
    public void Names_that_could_leave_the_folder_are_refused(string name)
    {
        Assert.Throws<ArgumentException>(() => new BundleWriter(models.Path, name));
        Assert.Throws<ArgumentException>(() => new BundleStore(models.Path).Open(name));
        using var writer = new BundleWriter(models.Path, "m5-a");
        Assert.Throws<ArgumentException>(() => writer.PathOf(name));
        Assert.Throws<ArgumentException>(() => writer.PathOf("manifest.json"));
    }

    [Fact]
    public void Bundles_are_listed_newest_first_and_broken_ones_are_reported()
    {
        var store = new BundleStore(models["none"]);
        Assert.Empty(store.List().Bundles);
        store = new BundleStore(models.Path);
        Write("m5-b", day: 1);
        Write("m5-a", day: 2);
        Write("m5-c", day: 1);
        Directory.CreateDirectory(models["m5-empty"]);
        Directory.CreateDirectory(models[".tmp-m5-x"]);
        models.Write("README", "not a bundle");
        Assert.Equal(["m5-a", "m5-c", "m5-b"], store.List().Bundles.Select(b => b.Version));
        Assert.Equal(models["m5-empty"] + "/manifest.json", Assert.Single(store.List().Broken).Path);

        File.WriteAllText(models["m5-c"] + "/weights", "hullo");
        Assert.Equal(["m5-a", "m5-c", "m5-b"], store.List().Bundles.Select(b => b.Version));
        var verified = store.List(verify: true);
        Assert.Equal(["m5-a", "m5-b"], verified.Bundles.Select(b => b.Version));
        Assert.Contains(verified.Broken, e => e.Message.StartsWith(models["m5-c"] + "/weights: sha256: expected 2cf24dba", StringComparison.Ordinal));
    }

    [Fact]
    public void Activation_moves_the_pointer_and_rollback_moves_it_back()
    {
        var store = new BundleStore(models.Path);
        Assert.Equal((null, null), (store.ActiveVersion, store.Previous));
        Assert.Throws<BundleException>(store.Rollback);
        foreach (var version in (string[])["m5-a", "m5-b", "m5-c"])
        {
            Write(version);
        }

        Assert.Null(store.Activate("m5-a"));
        Assert.Equal("m5-a", store.Activate("m5-b"));
        Assert.Equal("m5-b", store.Activate("m5-b"));
        Assert.Equal("m5-b", store.Activate("m5-c"));
        Assert.Equal(("m5-c", "m5-b"), (store.ActiveVersion, store.Previous));
        Assert.Equal("m5-c", File.ReadLines(models["active"]).First());

        var other = new BundleStore(models.Path);
        Assert.Equal("m5-b", other.Rollback());
        Assert.Equal(("m5-b", "m5-a"), (store.ActiveVersion, store.Previous));
        Assert.Equal("m5-a", store.Rollback());
        Assert.Throws<BundleException>(store.Rollback);
        Assert.Equal("m5-a", store.ActiveVersion);
    }

    [Fact]
    public void A_broken_bundle_is_neither_activated_nor_rolled_back_to()
    {
        var store = new BundleStore(models.Path);
        Write("m5-a");
        Write("m5-b");
        store.Activate("m5-a");
        store.Activate("m5-b");
        File.WriteAllText(models["m5-a"] + "/weights", "hullo");
        Assert.Contains("weights: sha256", Assert.Throws<BundleException>(() => store.Activate("m5-a")).Message, StringComparison.Ordinal);
        Assert.Throws<BundleException>(store.Rollback);
        Assert.Throws<BundleException>(() => store.Activate("m5-none"));
        Assert.Equal("m5-b", store.ActiveVersion);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("../etc\n")]
    public void A_pointer_to_nothing_is_reported(string content)
    {
        models.Write("active", content);
        var error = Assert.Throws<BundleException>(() => new BundleStore(models.Path).ActiveVersion);
        Assert.Equal(models["active"], error.Path);
    }

    [Fact]
    public async Task Concurrent_activations_take_turns_and_readers_always_see_a_whole_pointer()
    {
        string[] versions = ["m5-a", "m5-b", "m5-c", "m5-d"];
        foreach (var version in versions)
        {
            Write(version);
        }

        new BundleStore(models.Path).Activate("m5-a");
        using var stop = new CancellationTokenSource();
        var isReading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reader = Task.Factory.StartNew(
            () =>
            {
                var store = new BundleStore(models.Path);
                do
                {
                    Assert.Contains(store.ActiveVersion, versions);
                    isReading.TrySetResult();
                }
                while (!stop.IsCancellationRequested);
            },
            TaskCreationOptions.LongRunning);
        await Task.WhenAny(isReading.Task, reader);
        var previous = new System.Collections.Concurrent.ConcurrentBag<string?>();
        await Task.WhenAll(versions[1..].Select(version => Task.Run(() =>
        {
            previous.Add(new BundleStore(models.Path).Activate(version));
        })));
        await stop.CancelAsync();
        await reader;

        // Each saw the one before it: no activation was lost.
        var final = new BundleStore(models.Path);
        Assert.Equal<string?>(versions, previous.Append(final.ActiveVersion).Order(StringComparer.Ordinal));
        Assert.Equal(versions.Length, File.ReadAllLines(models["active"]).Length);
    }

    [Fact]
    public void Versions_tell_their_time_and_differ_within_a_second()
    {
        var versions = Enumerable.Range(0, 20).Select(_ => BundleVersion.New(new FixedTime())).ToHashSet(StringComparer.Ordinal);
        Assert.True(versions.Count > 10);
        Assert.All(versions, v => Assert.Matches("^m5-20261122T013000Z-[0-9a-f]{4}$", v));
        Assert.All(versions, v => Assert.True(BundleVersion.IsName(v)));
    }

    private static BundleManifest Manifest(string version, int day = 1) => new()
    {
        Version = version,
        CreatedAt = new DateTimeOffset(2026, 11, day, 1, 30, 0, TimeSpan.Zero),
        Hyperparameters = JsonDocument.Parse("""{"width": 128}""").RootElement,
        Scenarios =
        [
            new Scenario("vod") { PoolCategories = [ShowCategory.Series, ShowCategory.Movie] },
            new Scenario("live"),
        ],
        ItemCount = 2,
        Metrics = new Dictionary<string, double>(StringComparer.Ordinal) { ["hr20"] = 0.25 },
        DataFingerprint = "sha256:00",
    };

    private BundleDirectory Write(string version, int day = 1)
    {
        using var writer = new BundleWriter(models.Path, version);
        File.WriteAllText(writer.PathOf("weights"), "hello");
        File.WriteAllText(writer.PathOf("items"), "a\nb\n");
        return writer.Commit(Manifest(version, day));
    }

    // As someone who edits the manifest and makes its checksum right again.
    private static void Rewrite(string bundle, Func<string, string> edit)
    {
        var path = Path.Combine(bundle, "manifest.json");
        var bytes = Encoding.UTF8.GetBytes(edit(File.ReadAllText(path)));
        File.WriteAllBytes(path, bytes);
        File.WriteAllText(
            path + ".sha256",
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)) + "  manifest.json\n");
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 11, 22, 1, 30, 0, TimeSpan.Zero);
    }
}
