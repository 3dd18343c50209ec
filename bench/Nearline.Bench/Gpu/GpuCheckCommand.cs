using System.CommandLine;
using System.Globalization;
using Nearline.Model;
using TorchSharp;

namespace Nearline.Bench.Gpu;

/// <summary>
/// <c>nearline-bench gpu-check</c>: whether a device computes what the CPU computes, on fresh random inputs. A line a
/// check, and an exit code of 1 if any failed. With <c>--device cpu</c> it checks itself.
/// </summary>
internal static class GpuCheckCommand
{
    private static readonly string[] Parts = ["index", "tower", "training", "choice"];

    public static Command Create()
    {
        var device = new Option<string>("--device") { Description = "cuda or cpu", DefaultValueFactory = _ => "cuda" };
        var batches = new Option<int>("--batches") { Description = "batches of the check on memory", DefaultValueFactory = _ => 2000 };
        var seed = new Option<int?>("--seed") { Description = "of all random inputs; without it another each time" };
        var threads = new Option<int?>("--threads") { Description = "CPU threads of torch" };
        var only = new Option<string[]>("--only") { Description = "some of the parts", AllowMultipleArgumentsPerToken = true };
        only.AcceptOnlyFromAmong(Parts);
        device.AcceptOnlyFromAmong("cuda", "cpu");
        var command = new Command("gpu-check", "check that a GPU computes what the CPU computes") { device, batches, seed, threads, only };
        command.SetAction(parsed =>
        {
            TorchThreads.Use(parsed.GetValue(threads));
            var name = parsed.GetRequiredValue(device);
            var drawn = parsed.GetValue(seed) ?? Random.Shared.Next(1_000_000);
            var models = Directory.CreateTempSubdirectory("nearline-gpu-check-").FullName;
            var wanted = parsed.GetValue(only) is { Length: > 0 } some ? some : Parts;
            try
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{GpuDevice.Name(Devices.Of(name))}, seed {drawn}"));
                var checks = new Checks(Console.Out);
                var tower = new TowerChecks(name, models, drawn, parsed.GetRequiredValue(batches));
                foreach (var each in wanted)
                {
                    Action<Checks> run = each switch
                    {
                        "index" => new IndexChecks(Devices.Of(name), drawn).RunAll,
                        "tower" => tower.RunAll,
                        "training" => new TrainingChecks(name, models, drawn).RunAll,
                        _ => new ChoiceChecks(name, tower).RunAll,
                    };
                    run(checks);
                }

                Console.WriteLine($"gpu-check: {checks.Passed} passed, {checks.Failed} failed");
                return checks.Failed == 0 ? 0 : 1;
            }
            catch (ArgumentException e)
            {
                Console.Error.WriteLine($"gpu-check: {e.Message}");
                return 2;
            }
            finally
            {
                Directory.Delete(models, recursive: true);
            }
        });
        return command;
    }
}
