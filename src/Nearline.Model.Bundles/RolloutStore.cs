namespace Nearline.Model.Bundles;

/// <summary>
/// What is served beside the active bundle of a folder: the file <c>rollout.json</c> beside the pointer, replaced
/// atomically. No file: nothing is.
/// </summary>
/// <param name="bundles">The folder.</param>
public sealed class RolloutStore(BundleStore bundles)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "rollout.json";

    private string FilePath => Path.Combine(bundles.ModelsDirectory, FileName);

    /// <summary>What is served beside the active bundle. Cheap: callers poll it.</summary>
    /// <exception cref="BundleException">The file is damaged; the message names field, value and what would be right.</exception>
    public Rollout Read()
    {
        byte[] json;
        try
        {
            json = File.ReadAllBytes(FilePath);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Rollout.None;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BundleException(FilePath, $"cannot be read: {e.Message}", e);
        }

        return RolloutFile.Parse(json, FilePath);
    }

    /// <summary>
    /// Lets a share of the users have another bundle instead of the active one. With a larger share the same users have
    /// it, and more.
    /// </summary>
    /// <param name="version">The bundle, which is verified.</param>
    /// <param name="percent">Of the users, 0.01 to 100.</param>
    /// <exception cref="BundleException">
    /// The bundle is broken, it is the active one, there is no active one, or another canary is under way.
    /// </exception>
    public void SetCanary(string version, double percent) => Change(rollout =>
    {
        var canary = RolloutFile.Check(new CanaryRelease(RolloutFile.CheckVersion(version, "version", FilePath), percent), FilePath);
        CheckOther(version, "canary");
        bundles.Open(version);
        return rollout.Canary is { } other && other.Version != version
            ? throw new BundleException(
                FilePath, $"canary.version is '{other.Version}', which is under way; promote or abort it before '{version}'")
            : rollout with { Canary = canary };
    });

    /// <summary>Gives a share of the users sets of a bundle beside their default ones.</summary>
    /// <param name="name">The experiment; one of this name is changed.</param>
    /// <param name="version">The bundle, which is verified.</param>
    /// <param name="percent">Of the users, 0.01 to 100.</param>
    /// <exception cref="BundleException">The bundle is broken, or there are too many experiments.</exception>
    public void SetExperiment(string name, string version, double percent) => Change(rollout =>
    {
        var experiment = RolloutFile.Check(new Experiment(name, RolloutFile.CheckVersion(version, "version", FilePath), percent), FilePath);
        bundles.Open(version);
        var others = rollout.Experiments.Where(e => e.Name != name).ToList();
        return others.Count < Rollout.MaxExperiments
            ? rollout with { Experiments = [.. others, experiment] }
            : throw new BundleException(
                FilePath, $"experiments has {others.Count} entries ({string.Join(", ", others.Select(e => e.Name))}); at most {Rollout.MaxExperiments} are allowed: abort one before '{name}'");
    });

    /// <summary>Makes the canary's bundle, or an experiment's, the active one of all users, and ends the canary or experiment.</summary>
    /// <param name="experiment">The experiment; null: the canary.</param>
    /// <returns>The bundle that is active now.</returns>
    /// <exception cref="BundleException">There is none, or its bundle is broken.</exception>
    public string Promote(string? experiment = null)
    {
        var version = VersionOf(Read(), experiment);

        // First all users get it, then the share has no meaning any more: at no moment does anybody lose it again.
        bundles.Activate(version);
        Change(rollout => Without(rollout, experiment));
        return version;
    }

    /// <summary>Ends the canary or an experiment: its users are served by the active bundle alone.</summary>
    /// <param name="experiment">The experiment; null: the canary.</param>
    /// <returns>The bundle that is served no more.</returns>
    /// <exception cref="BundleException">There is none.</exception>
    public string Abort(string? experiment = null)
    {
        var version = "";
        Change(rollout =>
        {
            version = VersionOf(rollout, experiment);
            return Without(rollout, experiment);
        });
        return version;
    }

    private static Rollout Without(Rollout rollout, string? experiment) => experiment is null
        ? rollout with { Canary = null }
        : rollout with { Experiments = [.. rollout.Experiments.Where(e => e.Name != experiment)] };

    private string VersionOf(Rollout rollout, string? experiment)
    {
        var version = experiment is null ? rollout.Canary?.Version : rollout.Experiments.FirstOrDefault(e => e.Name == experiment)?.Version;
        var names = rollout.Experiments.Count == 0 ? "none" : string.Join(", ", rollout.Experiments.Select(e => e.Name));
        return version ?? throw new BundleException(
            FilePath, experiment is null ? $"no canary is under way; experiments: {names}" : $"'{experiment}' is no experiment; experiments: {names}");
    }

    private void CheckOther(string version, string field)
    {
        var active = bundles.ActiveVersion ??
            throw new BundleException(FilePath, $"{field}.version is '{version}', but no version is active; activate one first");
        if (active == version)
        {
            throw new BundleException(FilePath, $"{field}.version is '{version}', which is the active one; another one is needed");
        }
    }

    private void Change(Func<Rollout, Rollout> change)
    {
        using (bundles.Lock())
        {
            var rollout = change(Read());
            if (rollout.Canary is null && rollout.Experiments.Count == 0)
            {
                File.Delete(FilePath);
            }
            else
            {
                DurableFiles.Replace(FilePath, RolloutFile.Write(rollout));
            }
        }
    }
}
