using System.Globalization;
using System.Reflection;
using Nearline.Cli.Console;
using Nearline.Cli.Modelling;
using Nearline.Model;
using Nearline.Model.Training;

namespace Nearline.Cli.Tests;

public sealed class ModelOverridesTests
{
    [Fact]
    public void Assignments_reach_both_records_in_any_case_and_leave_the_presets_alone()
    {
        var (config, training) = Apply(
            "epochs=30", "Width=96", "LEARNINGRATE=1e-3", "LastWatch=False", "SinHidden=64, 32", "mixing=CustomizedGates",
            "Device=cpu", "Epochs=31");
        Assert.Equal((31, 0.001, "cpu"), (training.Epochs, training.LearningRate, training.Device));
        Assert.Equal((96, false, ScenarioMixing.CustomizedGates), (config.Width, config.LastWatch, config.Mixing));
        Assert.Equal([64, 32], config.SinHidden);
        Assert.Equal(TrainingOptions.Small with { Epochs = 31, LearningRate = 0.001, Device = "cpu" }, training);
        Assert.Equal((64, 12), (M5Config.Small.Width, TrainingOptions.Small.Epochs));
        Assert.Empty(Apply("SinHidden=").Config.SinHidden);
        Assert.Equal((M5Config.Small, TrainingOptions.Small), Apply());
    }

    [Fact]
    public void Every_option_can_be_set_to_what_it_is()
    {
        foreach (var preset in new object[] { M5Config.Small, TrainingOptions.Small })
        {
            foreach (var property in preset.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(p => p.SetMethod is { IsPublic: true } && p.Name != nameof(M5Config.Variant)))
            {
                var value = property.GetValue(preset);
                var text = value is IReadOnlyList<int> list
                    ? string.Join(',', list)
                    : Convert.ToString(value, CultureInfo.InvariantCulture);
                var (config, training) = Apply($"{property.Name}={text}");
                Assert.Equal(M5Config.Small.SinHidden, config.SinHidden);
                Assert.Equal(M5Config.Small, config with { SinHidden = M5Config.Small.SinHidden });
                Assert.Equal(TrainingOptions.Small, training);
            }
        }
    }

    [Theory]
    [InlineData("Epochs", "'Epochs'; it must be a name, an equals sign and a value")]
    [InlineData("Epochz=3", "no option 'Epochz', did you mean Epochs?")]
    [InlineData("lerningrate=3", "did you mean LearningRate?")]
    [InlineData("Zzzzzzzzzzzzz=3", "there are AllPositions, Alpha, BatchSize")]
    [InlineData("QueryWidth=3", "no option 'QueryWidth'")]
    [InlineData("Epochs=many", "--set Epochs is 'many'; it must be a whole number")]
    [InlineData("Epochs=1,000", "--set Epochs is '1,000'")]
    [InlineData("Alpha=0,1", "--set Alpha is '0,1'; it must be a number, with a point")]
    [InlineData("Alpha=NaN", "--set Alpha is 'NaN'")]
    [InlineData("LastWatch=1", "--set LastWatch is '1'; it must be true or false")]
    [InlineData("Mixing=2", "it must be one of SplitExperts,")]
    [InlineData("SinHidden=64,x", "--set SinHidden is '64,x'; it must be whole numbers")]
    [InlineData("Width=0", "Width: 0; must be at least 1")]
    [InlineData("Width=33", "HeadWidth: 32; must be a divisor of Width, 33")]
    [InlineData("BatchSize=0", "BatchSize: 0; must be at least 1")]
    [InlineData("Variant=wo-mm", "--variant")]
    public void What_cannot_be_is_refused_by_name_and_value(string assignment, string expected)
    {
        var error = Assert.Throws<CliException>(() => Apply(assignment));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("(Parameter", error.Message, StringComparison.Ordinal);
    }

    private static (M5Config Config, TrainingOptions Training) Apply(params string[] assignments) =>
        ModelOverrides.Apply(M5Config.Small, TrainingOptions.Small, assignments);
}
