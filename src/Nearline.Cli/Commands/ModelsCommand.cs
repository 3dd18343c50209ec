using System.CommandLine;
using System.Globalization;
using Nearline.Model.Bundles;
using Spectre.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline models</c>: which bundle is served to whom. Workers follow within seconds, without a restart.</summary>
internal static class ModelsCommand
{
    public static Command Create() => new("models", "say which model is served to whom; workers follow by themselves")
    {
        List(), Activate(), Rollback(), Canary(), Experiment(), Promote(), Abort(),
    };

    private static Argument<string> Version() => new("version") { Description = "a bundle, as models list prints it" };

    private static Option<double> Percent() => new("--percent") { Description = "of the users, 0.01 to 100", Required = true };

    private static Argument<string?> Name() => new("experiment")
    {
        Description = "the experiment's name; default: the canary",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static Command List()
    {
        var models = CommonOptions.Models();
        var verify = new Option<bool>("--verify") { Description = "read every file and verify its hash" };
        var command = new Command("list", "print the bundles and who is served by which") { models, verify };
        command.SetAction(parsed =>
        {
            var store = new BundleStore(parsed.GetRequiredValue(models));
            var (active, rollout) = (store.ActiveVersion, new RolloutStore(store).Read());
            var found = store.List(parsed.GetValue(verify));
            var table = new Table().Border(TableBorder.Simple).AddColumns("version", "made", "serves", "shows", "scenarios");
            foreach (var bundle in found.Bundles)
            {
                var manifest = bundle.Manifest;
                table.AddRow(
                    bundle.Version.EscapeMarkup(),
                    manifest.CreatedAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
                    string.Join(", ", Roles(bundle.Version, active, rollout)).EscapeMarkup(),
                    manifest.ItemCount.ToString("N0", CultureInfo.InvariantCulture),
                    string.Join(", ", manifest.Scenarios.Select(s => s.Id)).EscapeMarkup());
            }

            AnsiConsole.Write(table);
            foreach (var broken in found.Broken)
            {
                AnsiConsole.WriteLine($"broken: {broken.Message}");
            }

            return found.Broken.Count == 0 ? 0 : 1;
        });
        return command;
    }

    private static Command Activate()
    {
        var (models, version) = (CommonOptions.Models(), Version());
        var command = new Command("activate", "serve a bundle to all users") { version, models };
        command.SetAction(parsed =>
        {
            var now = parsed.GetRequiredValue(version);
            var before = new BundleStore(parsed.GetRequiredValue(models)).Activate(now);
            AnsiConsole.WriteLine(before == now ? $"{now} is active already" : $"{now} is active; before: {before ?? "none"}");
            return 0;
        });
        return command;
    }

    private static Command Rollback()
    {
        var models = CommonOptions.Models();
        var command = new Command("rollback", "serve the bundle that was active before; repeated, it goes further back") { models };
        command.SetAction(parsed =>
        {
            AnsiConsole.WriteLine($"{new BundleStore(parsed.GetRequiredValue(models)).Rollback()} is active");
            return 0;
        });
        return command;
    }

    private static Command Canary()
    {
        var (models, version, percent) = (CommonOptions.Models(), Version(), Percent());
        var command = new Command("canary", "serve a bundle to some users in place of the active one; a larger share keeps them and adds others")
        {
            version, percent, models,
        };
        command.SetAction(parsed =>
        {
            Rollouts(parsed.GetRequiredValue(models)).SetCanary(parsed.GetRequiredValue(version), parsed.GetValue(percent));
            AnsiConsole.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{parsed.GetRequiredValue(version)} is served to {parsed.GetValue(percent)}% of the users; models promote or models abort ends that"));
            return 0;
        });
        return command;
    }

    private static Command Experiment()
    {
        var (models, version, percent) = (CommonOptions.Models(), Version(), Percent());
        var name = new Argument<string>("name") { Description = "small letters, digits, '-' and '_'; requests ask for it as their variant" };
        var command = new Command("experiment", "make sets of a bundle for some users beside their default ones")
        {
            name, version, percent, models,
        };
        command.SetAction(parsed =>
        {
            Rollouts(parsed.GetRequiredValue(models)).SetExperiment(
                parsed.GetRequiredValue(name), parsed.GetRequiredValue(version), parsed.GetValue(percent));
            AnsiConsole.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{parsed.GetValue(percent)}% of the users get sets of {parsed.GetRequiredValue(version)} under the variant {parsed.GetRequiredValue(name)}"));
            return 0;
        });
        return command;
    }

    private static Command Promote()
    {
        var (models, name) = (CommonOptions.Models(), Name());
        var command = new Command("promote", "serve the canary's bundle, or an experiment's, to all users") { name, models };
        command.SetAction(parsed =>
        {
            AnsiConsole.WriteLine($"{Rollouts(parsed.GetRequiredValue(models)).Promote(parsed.GetValue(name))} is active");
            return 0;
        });
        return command;
    }

    private static Command Abort()
    {
        var (models, name) = (CommonOptions.Models(), Name());
        var command = new Command("abort", "end the canary or an experiment") { name, models };
        command.SetAction(parsed =>
        {
            AnsiConsole.WriteLine($"{Rollouts(parsed.GetRequiredValue(models)).Abort(parsed.GetValue(name))} is served no more as {parsed.GetValue(name) ?? "canary"}");
            return 0;
        });
        return command;
    }

    private static RolloutStore Rollouts(string models) => new(new BundleStore(models));

    private static IEnumerable<string> Roles(string version, string? active, Rollout rollout)
    {
        if (version == active)
        {
            yield return "active";
        }

        if (rollout.Canary is { } canary && canary.Version == version)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"canary {canary.Percent}%");
        }

        foreach (var experiment in rollout.Experiments.Where(e => e.Version == version))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{experiment.Name} {experiment.Percent}%");
        }
    }
}
