using Microsoft.Extensions.Options;
using Nearline.Model.Index;

namespace Nearline.Worker.Options;

/// <summary>What searches the model's shows; section <c>Index</c>.</summary>
internal sealed class IndexOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Index";

    private static readonly BackendOptions Usual = new();

    /// <summary>auto, or the name of a backend.</summary>
    public string Backend { get; set; } = Usual.Backend;

    /// <summary>How long a query may take, on average in a batch, for auto to stay exact. 0 to 1 min.</summary>
    public TimeSpan ExactBudget { get; set; } = Usual.ExactBudget;

    /// <summary>How long a backend is tried when a model is loaded, three rounds at least. 0 to 10 s.</summary>
    public TimeSpan MeasureFor { get; set; } = Usual.MeasureFor;

    /// <summary>For the model library.</summary>
    /// <param name="setSize">Shows in a set.</param>
    public BackendOptions ToBackend(int setSize) => new()
    {
        Backend = Backend,
        ExactBudget = ExactBudget,
        MeasureFor = MeasureFor,
        Limit = setSize,
    };

    internal sealed class Validator : IValidateOptions<IndexOptions>
    {
        public ValidateOptionsResult Validate(string? name, IndexOptions options)
        {
            var check = new OptionsCheck(Section);
            check.OneOf(nameof(Backend), options.Backend, [.. IndexBackends.Names]);
            check.InRange(nameof(ExactBudget), options.ExactBudget, TimeSpan.Zero, TimeSpan.FromMinutes(1));
            check.InRange(nameof(MeasureFor), options.MeasureFor, TimeSpan.Zero, TimeSpan.FromSeconds(10));
            return check.Result();
        }
    }
}
