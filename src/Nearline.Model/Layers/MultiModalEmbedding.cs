using Nearline.Model.Features;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// The multi-modal embedding layer (paper, section 4.2): every main ID to an ID embedding, started at random, and to a
/// content graph (CG) embedding, started from the content of the shows; all else through shared tables E^SH. One table
/// of each kind serves behaviours, targets and the MLM output.
/// </summary>
internal sealed class MultiModalEmbedding : nn.Module
{
    private readonly Embedding id;
    private readonly Embedding cg;
    private readonly Embedding subsidiary;
    private readonly Embedding fields;
    private readonly EmbeddingBag tags;
    private readonly Embedding scenario;
    private readonly int shows;

    /// <param name="schema">What the rows mean.</param>
    /// <param name="config">Widths.</param>
    /// <param name="content">The CG embeddings to start from, [shows, width], row-major; null: random.</param>
    public MultiModalEmbedding(FeatureSchema schema, M5Config config, float[]? content)
        : base(nameof(MultiModalEmbedding))
    {
        var width = config.Width;
        shows = schema.Shows.Count;
        if (content is not null && content.Length != shows * width)
        {
            throw new ArgumentException(
                $"content: {content.Length} numbers; {shows} shows of width {width} need {shows * width}", nameof(content));
        }

        id = nn.Embedding(schema.ShowRows, width);
        cg = nn.Embedding(schema.ShowRows, width);
        subsidiary = nn.Embedding(Features.Subsidiaries.Rows(schema.MaxLength), width);
        fields = nn.Embedding(schema.FieldSizes.Sum(), config.FieldWidth);
        tags = nn.EmbeddingBag(Math.Max(1, schema.Tags.Count), config.TagWidth, mode: EmbeddingBagMode.Sum);
        scenario = nn.Embedding(schema.Scenarios.Count, config.ScenarioWidth);
        RegisterComponents();

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        foreach (var table in new[] { id, cg, subsidiary })
        {
            nn.init.normal_(table.weight!, 0, 1 / Math.Sqrt(width));
        }

        nn.init.normal_(fields.weight!, 0, 1 / Math.Sqrt(config.FieldWidth));
        nn.init.normal_(tags.weight!, 0, 1 / Math.Sqrt(config.TagWidth));
        nn.init.normal_(scenario.weight!, 0, 1 / Math.Sqrt(config.ScenarioWidth));
        id.weight!.narrow(0, FeatureSchema.PadRow, FeatureSchema.UnknownShowRow + 1).zero_();
        cg.weight!.narrow(0, FeatureSchema.PadRow, FeatureSchema.FirstShowRow).zero_();
        if (content is not null)
        {
            cg.weight!.narrow(0, FeatureSchema.FirstShowRow, shows).copy_(tensor(content).view(shows, width));
        }

        cg.weight!.requires_grad_(config.TrainCg);
    }

    /// <summary>E^ID of show rows: [...] to [..., d].</summary>
    public Tensor Id(Tensor rows) => id.forward(rows);

    /// <summary>E^CG of show rows: [...] to [..., d].</summary>
    public Tensor Cg(Tensor rows) => cg.forward(rows);

    /// <summary>E^SH of subsidiary features: [T, n_sub] to [T, n_sub, d].</summary>
    public Tensor Subsidiary(Tensor rows) => subsidiary.forward(rows);

    /// <summary>E^SH of narrow fields: [U, n] to [U, n, 8].</summary>
    public Tensor Fields(Tensor rows) => fields.forward(rows);

    /// <summary>Weighted sum of E^SH over each user's tags: [U, TagWidth].</summary>
    public Tensor Tags(Tensor rows, Tensor starts, Tensor weights) => tags.call(rows, starts, weights);

    /// <summary>E^SH of the scenario indicator: [P] to [P, ScenarioWidth].</summary>
    public Tensor Scenario(Tensor rows) => scenario.forward(rows);

    /// <summary>E^ID of all shows, in the order of the index: [I, d].</summary>
    public Tensor ItemIds() => id.weight!.narrow(0, FeatureSchema.FirstShowRow, shows);

    /// <summary>E^CG of all shows: [I, d].</summary>
    public Tensor ItemCgs() => cg.weight!.narrow(0, FeatureSchema.FirstShowRow, shows);
}
