using Nearline.Model.Training;

namespace Nearline.Model;

/// <summary>A variant of M5: options on top of any preset.</summary>
public sealed class M5Variant
{
    private readonly Func<M5Config, M5Config> shape;
    private readonly Func<TrainingOptions, TrainingOptions> training;

    internal M5Variant(
        string name,
        string paperName,
        Func<M5Config, M5Config>? shape = null,
        Func<TrainingOptions, TrainingOptions>? training = null)
    {
        Name = name;
        PaperName = paperName;
        this.shape = shape ?? (config => config);
        this.training = training ?? (options => options);
    }

    /// <summary>Its name here, such as wo-mm.</summary>
    public string Name { get; }

    /// <summary>Its name in the paper's table 2.</summary>
    public string PaperName { get; }

    /// <summary>The variant of a shape.</summary>
    public M5Config Of(M5Config preset) => shape(preset ?? throw new ArgumentNullException(nameof(preset))) with { Variant = Name };

    /// <summary>The variant's training.</summary>
    public TrainingOptions Of(TrainingOptions preset) => training(preset ?? throw new ArgumentNullException(nameof(preset)));

    /// <inheritdoc/>
    public override string ToString() => Name;
}
