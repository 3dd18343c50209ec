using Nearline.Model.Features;
using Nearline.Model.Graph;
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
    private readonly Embedding? cg;
    private readonly Linear? contentInId;
    private readonly MetadataEmbedding? metadata;
    private readonly Embedding? subsidiary;
    private readonly EmbeddingBag fields;
    private readonly EmbeddingBag tags;
    private readonly Embedding? scenario;
    private readonly int[] subsidiarySizes;
    private readonly int fieldCount;
    private readonly int shows;
    private EmbeddingBag? subsidiarySums;

    /// <param name="schema">What the rows mean.</param>
    /// <param name="config">Widths.</param>
    /// <param name="content">
    /// The CG embeddings to start from, [shows, width], row-major; null: random. Without a CG table nothing reads them.
    /// </param>
    public MultiModalEmbedding(FeatureSchema schema, M5Config config, float[]? content)
        : base(nameof(MultiModalEmbedding))
    {
        var width = config.Width;
        shows = schema.Shows.Count;
        subsidiarySizes = Features.Subsidiaries.Sizes(schema.MaxLength)[..config.EmbeddedSubsidiaries];
        if (content is not null && content.Length != shows * width)
        {
            throw new ArgumentException(
                $"content: {content.Length} numbers; {shows} shows of width {width} need {shows * width}", nameof(content));
        }

        id = nn.Embedding(schema.ShowRows, width);
        cg = config.HasCgTable ? nn.Embedding(schema.ShowRows, width) : null;
        contentInId = config.ContentInId ? nn.Linear(width, width, hasBias: false) : null;
        metadata = config.HasRawMetadata
            ? new MetadataEmbedding(
                schema.Metadata ?? throw new ArgumentException("metadata: missing from the schema; raw metadata needs it", nameof(schema)),
                shows,
                width)
            : null;
        subsidiary = config.Decorate ? nn.Embedding(1 + subsidiarySizes.Sum(), width) : null;
        fields = nn.EmbeddingBag(schema.FieldSizes.Sum(), config.FieldWidth, mode: EmbeddingBagMode.Mean);
        fieldCount = schema.FieldSizes.Count;
        tags = nn.EmbeddingBag(Math.Max(1, schema.Tags.Count), config.TagWidth, mode: EmbeddingBagMode.Sum);
        scenario = config.ScenarioIndicator ? nn.Embedding(schema.Scenarios.Count, config.ScenarioWidth) : null;
        RegisterComponents();

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        foreach (var table in new[] { id, cg, subsidiary }.OfType<Embedding>())
        {
            nn.init.normal_(table.weight!, 0, config.EmbeddingDeviation);
        }

        nn.init.normal_(fields.weight!, 0, 1 / Math.Sqrt(config.FieldWidth));
        nn.init.normal_(tags.weight!, 0, 1 / Math.Sqrt(config.TagWidth));
        if (scenario is not null)
        {
            nn.init.normal_(scenario.weight!, 0, 1 / Math.Sqrt(config.ScenarioWidth));
        }

        id.weight!.narrow(0, FeatureSchema.PadRow, FeatureSchema.UnknownShowRow + 1).zero_();
        if (cg is null)
        {
            return;
        }

        cg.weight!.narrow(0, FeatureSchema.PadRow, FeatureSchema.FirstShowRow).zero_();
        if (content is not null)
        {
            cg.weight!.narrow(0, FeatureSchema.FirstShowRow, shows).copy_(tensor(content).view(shows, width) * config.ContentScale);
        }

        cg.weight!.requires_grad_(config.TrainCg);
    }

    /// <summary>Adds embeddings of shows to the random ones that E^ID starts with.</summary>
    /// <param name="shows">[shows, width], row-major.</param>
    /// <param name="scale">Times this.</param>
    public void StartIds(float[] ids, double scale)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        id.weight!.narrow(0, FeatureSchema.FirstShowRow, shows).add_(tensor(ids).view(shows, id.weight.shape[1]) * scale);
    }

    /// <summary>E^ID of show rows: [T] to [T, d].</summary>
    /// <param name="rows">Rows of the tables, and past them of live shows.</param>
    /// <param name="live">Those of live shows; null: no row is past the tables.</param>
    public Tensor Id(Tensor rows, LiveRows? live = null)
    {
        var own = live is null ? id.forward(rows) : Beside(rows, live.Ids, id.forward);
        return contentInId is null ? own : own + contentInId.forward(Cg(rows, live));
    }

    /// <summary>E^CG of show rows, for a model with CG embeddings: [T] to [T, d].</summary>
    /// <inheritdoc cref="Id"/>
    public Tensor Cg(Tensor rows, LiveRows? live = null) =>
        live is not null ? Beside(rows, live.Cgs, r => Cg(r))
        : cg is not null ? cg.forward(rows)
        : RawRows().index_select(0, rows);

    /// <summary>
    /// How the ID table follows from the CG table: the linear map from a show's E^CG to what its row of the ID table has
    /// beyond [OOV]'s, by ridge regression, [d, d]. Near zero where content says nothing of what is watched with what.
    /// </summary>
    public Tensor IdsByContent()
    {
        using var scope = NewDisposeScope();
        var rows = id.weight!.detach().cpu();
        var beyond = rows.narrow(0, FeatureSchema.FirstShowRow, shows) - rows.narrow(0, FeatureSchema.UnknownShowRow, 1);
        var map = ContentAlignment.Map(ItemCgs().detach().cpu(), beyond);
        return map.to(rows.dtype).to(id.weight!.device).MoveToOuterDisposeScope();
    }

    /// <summary>What stands for the ID table's rows of live shows: [OOV]'s and what their E^CG, [k, d], lets expect.</summary>
    public Tensor LiveIds(Tensor cgs, Tensor byContent) =>
        id.weight!.narrow(0, FeatureSchema.UnknownShowRow, 1) + cgs.matmul(byContent);

    /// <summary>E^SH of the subsidiary features that are embedded, [T, n_sub] of all; null in a model without them.</summary>
    public Decoration? Subsidiary(Tensor rows) =>
        subsidiary is null ? null : Decoration.Of(subsidiary.weight!, subsidiarySizes, rows.narrow(1, 0, subsidiarySizes.Length), subsidiarySums);

    /// <summary>E^SH of the subsidiary features, padding first, [R, d], and the rows of each; none in a model without them.</summary>
    public (Tensor? Table, IReadOnlyList<int> Sizes) Subsidiaries => (subsidiary?.weight, subsidiary is null ? [] : subsidiarySizes);

    /// <summary>E^SH of the scenarios: [S, ScenarioWidth]; null in a model without it.</summary>
    public Tensor? Scenarios => scenario?.weight;

    /// <summary>Computes once what depends on fixed weights alone.</summary>
    public void Freeze()
    {
        if (subsidiary is not null)
        {
            using var gradient = no_grad();
            using var scope = NewDisposeScope();
            subsidiarySums = Decoration.BagOf(subsidiary.weight!.narrow(0, 1, subsidiary.weight.shape[0] - 1));
        }
    }

    /// <summary>E^SH of narrow fields, the mean of the rows of each: [U, n, 8].</summary>
    public Tensor Fields(Tensor rows, Tensor starts) =>
        fields.call(rows, starts).view(starts.shape[0] / fieldCount, fieldCount, fields.weight!.shape[1]);

    /// <summary>Weighted sum of E^SH over each user's tags: [U, TagWidth].</summary>
    public Tensor Tags(Tensor rows, Tensor starts, Tensor weights) => tags.call(rows, starts, weights.to(tags.weight!.dtype));

    /// <summary>E^SH of the scenario indicator, [P] to [P, ScenarioWidth]; null in a model without it.</summary>
    public Tensor? Scenario(Tensor rows) => scenario?.forward(rows);

    /// <summary>Shows of the index, I.</summary>
    public int Shows => shows;

    /// <summary>E^ID of all shows, in the order of the index: [I, d].</summary>
    public Tensor ItemIds()
    {
        var ids = id.weight!.narrow(0, FeatureSchema.FirstShowRow, shows);
        return contentInId is null ? ids : ids + contentInId.forward(ItemCgs());
    }

    /// <summary>E^ID of shows that have none of their own, by their E^CG: [k, d] to [k, d].</summary>
    public Tensor UnknownIds(Tensor cgs)
    {
        var own = id.weight!.narrow(0, FeatureSchema.UnknownShowRow, 1).expand(cgs.shape);
        return contentInId is null ? own : own + contentInId.forward(cgs);
    }

    /// <summary>E^CG of all shows: [I, d].</summary>
    public Tensor ItemCgs() => cg is not null ? cg.weight!.narrow(0, FeatureSchema.FirstShowRow, shows) : Raw();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            subsidiarySums?.Dispose();
        }

        base.Dispose(disposing);
    }

    private Tensor Beside(Tensor rows, Tensor live, Func<Tensor, Tensor> table)
    {
        var first = FeatureSchema.FirstShowRow + shows;
        var isLive = rows.ge(first);
        return where(
            isLive.unsqueeze(1),
            live.index_select(0, (rows - first).clamp_min(0)),
            table(rows.masked_fill(isLive, FeatureSchema.UnknownShowRow)));
    }

    private Tensor Raw() => (metadata ?? throw new InvalidOperationException("the model has no CG embeddings")).Items();

    /// <summary>Raw metadata by show row; zero for the rows that are no show.</summary>
    private Tensor RawRows()
    {
        var items = Raw();
        return cat([zeros(FeatureSchema.FirstShowRow, items.shape[1], dtype: items.dtype, device: items.device), items], 0);
    }
}
