using Nearline.Cli.Console;
using Nearline.Model;
using Nearline.Model.Training;

namespace Nearline.Cli.Modelling;

/// <summary>Assignments to any option of <see cref="M5Config"/> and <see cref="TrainingOptions"/>.</summary>
internal static class ModelOverrides
{
    private static readonly OptionAssignments Options = new(typeof(M5Config), typeof(TrainingOptions));

    /// <summary>The options that there are.</summary>
    public static IReadOnlyCollection<string> Names => Options.Names;

    /// <summary>Configuration and training with the assignments made, in their order, and checked.</summary>
    /// <param name="config">The shape to start from.</param>
    /// <param name="training">The training to start from.</param>
    /// <param name="assignments">Each a name, an equals sign and a value.</param>
    /// <param name="option">The command line's option that they come from, for errors.</param>
    /// <exception cref="CliException">A name is unknown, or a value makes no sense; the message says what would.</exception>
    public static (M5Config Config, TrainingOptions Training) Apply(
        M5Config config, TrainingOptions training, IEnumerable<string> assignments, string option = "--set")
    {
        var (shape, options) = (config with { }, training with { });
        Options.Set(option, assignments, shape, options);
        if (shape.Variant != config.Variant)
        {
            throw new CliException($"{option} is 'Variant={shape.Variant}'; a variant is chosen with --variant");
        }

        OptionAssignments.Check(option, shape.Validate);
        OptionAssignments.Check(option, options.Validate);
        return (shape, options);
    }
}
