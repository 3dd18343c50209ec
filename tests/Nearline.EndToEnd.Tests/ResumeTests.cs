using Nearline.Model.Bundles;

namespace Nearline.EndToEnd.Tests;

public sealed class ResumeTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("nearline-resume-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task A_training_that_is_killed_and_resumed_writes_the_bundle_that_it_would_have_written()
    {
        await Pipeline.RunNearlineAsync("simulate", "--out", At("world"), "--users", "60", "--shows", "80", "--days", "6");
        await Pipeline.RunNearlineAsync(Arguments("whole"));

        await using (var killed = Pipeline.Nearline(Arguments("killed")))
        {
            await killed.WaitForLineAsync(line => line.Contains("epoch 2 of", StringComparison.Ordinal), TimeSpan.FromSeconds(90));
            killed.Kill();
            Assert.NotEqual(0, await killed.WaitForExitAsync());
        }

        Assert.Empty(new BundleStore(At("killed-models")).List().Bundles);
        var resumed = await Pipeline.RunNearlineAsync("train", "--resume", At("killed"));
        Assert.DoesNotContain("epoch 2 of", resumed, StringComparison.Ordinal);
        Assert.Contains("epoch 10 of 10", resumed, StringComparison.Ordinal);
        Assert.Equal(Weights("whole"), Weights("killed"));

        await using var again = Pipeline.Nearline("train", "--resume", At("killed"));
        Assert.NotEqual(0, await again.WaitForExitAsync());
        Assert.Contains("a run that is over", string.Join('\n', again.LastLines), StringComparison.Ordinal);
    }

    private string At(string name) => Path.Combine(directory, name);

    private string[] Arguments(string run) =>
    [
        "train", "--data", At("world"), "--models", At($"{run}-models"), "--run", At(run), "--device", "cpu",
        "--set", "Epochs=10", "--set", "EvaluateEvery=1", "--set", "Patience=0", "--set", "BatchSize=64",
    ];

    private string Weights(string run) =>
        new BundleStore(At($"{run}-models")).List().Bundles.Single().Manifest.Files["weights.safetensors"].Sha256;
}
