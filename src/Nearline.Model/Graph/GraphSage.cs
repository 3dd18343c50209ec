using Nearline.Model.Behaviours;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Graph;

/// <summary>
/// Two layers of GraphSAGE over a <see cref="Metagraph"/>. A node goes in as an embedding of its own (tag to era), as a
/// learned map of its vector (text, visual), or, a show, as its category's constant: a show has no weights of its own,
/// so one that came later is embedded like any other.
/// </summary>
internal sealed class GraphSage : nn.Module
{
    private readonly Embedding nodes;
    private readonly Embedding categories;
    private readonly Linear? text;
    private readonly Linear? visual;
    private readonly SageLayer first;
    private readonly SageLayer second;

    /// <param name="options">Widths and the aggregator.</param>
    /// <param name="learned">Nodes with an embedding of their own.</param>
    /// <param name="textWidth">Width of the text vectors; 0: none.</param>
    /// <param name="visualWidth">Width of the visual vectors; 0: none.</param>
    public GraphSage(GraphOptions options, int learned, int textWidth, int visualWidth)
        : base(nameof(GraphSage))
    {
        nodes = nn.Embedding(Math.Max(1, learned), options.Hidden);
        categories = nn.Embedding(Enum.GetValues<ShowCategory>().Length, options.Hidden);
        text = textWidth > 0 ? nn.Linear(textWidth, options.Hidden, hasBias: false) : null;
        visual = visualWidth > 0 ? nn.Linear(visualWidth, options.Hidden, hasBias: false) : null;
        first = new SageLayer(options.Aggregator, options.Hidden, options.Hidden, isLast: false);
        second = new SageLayer(options.Aggregator, options.Hidden, options.Width, isLast: true);
        RegisterComponents();
        using var _ = no_grad();
        using var scope = NewDisposeScope();

        // All inputs alike in length, vectors having unit length. A category that no show has stays at zero.
        foreach (var weight in new[] { nodes.weight, text?.weight, visual?.weight }.OfType<Parameter>())
        {
            nn.init.normal_(weight, 0, 1 / Math.Sqrt(options.Hidden));
        }

        nn.init.zeros_(categories.weight!);
    }

    /// <summary>The layer from inputs to states.</summary>
    public SageLayer First => first;

    /// <summary>The layer from states to embeddings.</summary>
    public SageLayer Second => second;

    /// <summary>The row of a category's constant.</summary>
    public static long RowOf(ShowCategory category) => (long)category - 1;

    /// <summary>Inputs of shows by category, [categories, Hidden].</summary>
    public Tensor Categories => categories.weight!;

    /// <summary>Inputs of shows, by the rows of their categories.</summary>
    public Tensor Shows(Tensor categoryRows) => categories.forward(categoryRows);

    /// <summary>Inputs of nodes with an embedding.</summary>
    public Tensor Learned(Tensor rows) => nodes.forward(rows);

    /// <summary>Inputs of text nodes, [n, textWidth] to [n, Hidden].</summary>
    public Tensor Text(Tensor vectors) => text!.forward(vectors.to(text.weight!.dtype));

    /// <summary>Inputs of visual nodes.</summary>
    public Tensor Visual(Tensor vectors) => visual!.forward(vectors.to(visual.weight!.dtype));
}
