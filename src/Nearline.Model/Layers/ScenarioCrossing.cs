using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// The scenario indicator at the feature level (paper, section 4.4.1): f_s = [fields, E^SH(x^s), E^SH(x^s) . field for
/// every field]. A field of another width than the indicator is projected to it for the inner product.
/// </summary>
internal sealed class ScenarioCrossing : nn.Module
{
    private readonly ModuleList<Linear> projections;
    private readonly int[] projectionOf;
    private readonly int[] widths;

    /// <param name="widths">The width of each field.</param>
    /// <param name="scenarioWidth">The width of the indicator; 0: there is none, and f_s is the fields alone.</param>
    public ScenarioCrossing(IReadOnlyList<int> widths, int scenarioWidth)
        : base(nameof(ScenarioCrossing))
    {
        this.widths = [.. widths];
        var made = new List<Linear>();
        projectionOf = new int[widths.Count];
        for (var i = 0; i < widths.Count; i++)
        {
            projectionOf[i] = scenarioWidth == 0 || widths[i] == scenarioWidth ? -1 : made.Count;
            if (projectionOf[i] >= 0)
            {
                made.Add(nn.Linear(widths[i], scenarioWidth, hasBias: false));
            }
        }

        projections = new ModuleList<Linear>([.. made]);
        OutputWidth = widths.Sum() + (scenarioWidth == 0 ? 0 : scenarioWidth + widths.Count);
        RegisterComponents();
    }

    /// <summary>Width of f_s.</summary>
    public int OutputWidth { get; }

    /// <summary>The width of each field.</summary>
    public IReadOnlyList<int> Widths => widths;

    /// <summary>What makes a field comparable with the indicator; null where its width is the indicator's.</summary>
    public Linear? ProjectionOf(int field) => projectionOf[field] < 0 ? null : projections[projectionOf[field]];

    /// <summary>f_s of each pair: [P, OutputWidth].</summary>
    /// <param name="fields">The users' fields, each [U, width]; they are computed once a user, whatever its scenarios.</param>
    /// <param name="scenario">E^SH(x^s): [P, scenarioWidth]; null without an indicator.</param>
    /// <param name="pairs">Which user each pair is of.</param>
    public Tensor Forward(IReadOnlyList<Tensor> fields, Tensor? scenario, ScenarioPairs pairs)
    {
        if (scenario is null)
        {
            return pairs.OfUsers(cat([.. fields], 1));
        }

        var comparable = new Tensor[widths.Length];
        for (var i = 0; i < widths.Length; i++)
        {
            comparable[i] = projectionOf[i] < 0 ? fields[i] : projections[projectionOf[i]].forward(fields[i]);
        }

        var crossed = pairs.OfUsers(stack(comparable, 1)).matmul(scenario.unsqueeze(-1)).squeeze(-1);
        return cat([pairs.OfUsers(cat([.. fields], 1)), scenario, crossed], 1);
    }
}
