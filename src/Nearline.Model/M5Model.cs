using Nearline.Model.Features;
using Nearline.Model.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model;

/// <summary>
/// M5: Multi-Modal Multi-Interest Multi-Scenario Matching (Zhao, Gao, Xu, Chen; KDD 2023). Two towers of two channels:
/// ID, learned from behaviour alone, and CG, from the content of the shows; both of width d.
/// </summary>
/// <remarks>
/// Shapes: U views of users (at serving one a user), T behaviours of all of them (tokens), P (view, scenario) pairs, I
/// shows. Interests do not depend on the scenario, so they are computed once a view; mixing and weighting once a pair.
/// </remarks>
internal sealed class M5Model : nn.Module
{
    private readonly MultiModalEmbedding embedding;
    private readonly SelfAttentionEncoder? attention;
    private readonly SubsidiaryIntensity? idIntensity;
    private readonly SubsidiaryIntensity? cgIntensity;
    private readonly RecencyIntensity? idRecency;
    private readonly RecencyIntensity? cgRecency;
    private readonly ScenarioCrossing idCrossing;
    private readonly ScenarioCrossing? cgCrossing;
    private readonly ScenarioMixer idExperts;
    private readonly ScenarioMixer? cgExperts;
    private readonly DynamicWeighting? weighting;
    private readonly Linear? idResidual;
    private readonly Linear? cgResidual;
    private readonly Linear? idInterestResidual;
    private readonly Linear? cgInterestResidual;
    private readonly SelfAttentionEncoder? cgAttention;
    private readonly SwishMlp? unifiedItems;
    private readonly IReadOnlyList<int> slots;
    private bool isFrozen;
    private ServingMixing? idServing;
    private ServingMixing? cgServing;

    /// <summary>A model with fresh weights, drawn from torch's generator: seed it before.</summary>
    /// <param name="schema">What the inputs mean.</param>
    /// <param name="config">The shape.</param>
    /// <param name="content">CG embeddings of the shows to start from: [I, d], row-major; null: random ones.</param>
    public M5Model(FeatureSchema schema, M5Config config, float[]? content)
        : base(nameof(M5Model))
    {
        config.Validate();
        if (schema.Categorize != config.Categorize)
        {
            throw new ArgumentException($"categorize: {schema.Categorize} in the schema, {config.Categorize} in the config", nameof(schema));
        }

        Config = config;
        slots = schema.Slots;
        embedding = new MultiModalEmbedding(schema, config, content);
        attention = config.IdInterests.HasAttention() ? new SelfAttentionEncoder(config) : null;
        var subsidiaries = config.EmbeddedSubsidiaries;
        idIntensity = config.IdInterests.HasSin() ? new SubsidiaryIntensity(config.Width, [], subsidiaries) : null;
        cgIntensity = config.HasCg && config.CgInterests.HasSin()
            ? new SubsidiaryIntensity(config.Width, config.SinHidden, subsidiaries)
            : null;
        idRecency = config.Causal && config.Decorate && idIntensity is not null ? new RecencyIntensity(config.MaxLength) : null;
        cgRecency = config.Causal && config.Decorate && cgIntensity is not null ? new RecencyIntensity(config.MaxLength) : null;

        var isSplit = config.Channels == ModelChannels.IdAndCg;
        var behaviours = Enumerable.Repeat(
            config.Width, (slots.Count + (config.LastWatch ? 1 : 0)) * (config.Channels == ModelChannels.Single ? 2 : 1));
        var narrow = Enumerable.Repeat(config.FieldWidth, schema.FieldSizes.Count);
        int[] fields = [.. behaviours, config.TagWidth, .. narrow];
        var indicator = config.ScenarioIndicator ? config.ScenarioWidth : 0;
        idCrossing = new ScenarioCrossing(fields, indicator);
        cgCrossing = isSplit ? new ScenarioCrossing(fields, indicator) : null;
        idExperts = ScenarioMixer.Of(idCrossing.OutputWidth, config.Width, schema.Scenarios.Count, config);
        cgExperts = isSplit ? ScenarioMixer.Of(cgCrossing!.OutputWidth, config.Width, schema.Scenarios.Count, config) : null;
        weighting = isSplit
            ? new DynamicWeighting(config.TagWidth + (schema.FieldSizes.Count * config.FieldWidth) + indicator, config)
            : null;
        if (config.LastWatch)
        {
            idResidual = Residual(config, config.LastWatchStart);
            cgResidual = config.HasCg ? Residual(config, config.LastWatchStart) : null;
        }

        if (config.InterestStart > 0)
        {
            idInterestResidual = Residual(config, config.InterestStart);
            cgInterestResidual = config.HasCg ? Residual(config, config.InterestStart) : null;
        }

        cgAttention = config.HasCg && config.CgInterests.HasAttention() ? new SelfAttentionEncoder(config) : null;
        unifiedItems = config.Channels == ModelChannels.Single
            ? new SwishMlp(2 * config.Width, config.Hidden, config.Width, inputDropout: 0)
            : null;
        RegisterComponents();
    }

    /// <inheritdoc cref="MultiModalEmbedding.StartIds"/>
    internal void StartIds(float[] ids, double scale) => embedding.StartIds(ids, scale);

    /// <summary>The shape.</summary>
    public M5Config Config { get; }

    /// <summary>Where the weights are.</summary>
    public Device Device { get; private set; } = CPU;

    /// <summary>Moves the weights to a device.</summary>
    public void MoveTo(Device device)
    {
        this.to(device);
        Device = device;
    }

    /// <summary>
    /// Fixes the weights for serving, on the device where they are: what depends on them alone is computed once, and large
    /// products run in the given precision. The model cannot train afterwards.
    /// </summary>
    /// <exception cref="InvalidOperationException">They are fixed already.</exception>
    public void Freeze(ScalarType precision)
    {
        if (isFrozen)
        {
            throw new InvalidOperationException("the weights are fixed already");
        }

        isFrozen = true;
        using var gradient = no_grad();
        eval();
        foreach (var parameter in parameters())
        {
            parameter.requires_grad_(false);
        }

        embedding.Freeze();
        var (table, sizes) = embedding.Subsidiaries;
        attention?.Freeze(precision);
        cgAttention?.Freeze(precision);
        idIntensity?.Freeze(table, sizes, precision);
        cgIntensity?.Freeze(table, sizes, precision);
        ServingMixing? Of(ScenarioCrossing? crossing, ScenarioMixer? experts) => experts is SplitMixtureOfExperts split
            ? new ServingMixing(crossing!, split, embedding.Scenarios, precision)
            : null;
        (idServing, cgServing) = (Of(idCrossing, idExperts), Of(cgCrossing, cgExperts));
    }

    /// <summary>Whether masked shows can be predicted: only self-attention tells a behaviour's neighbours.</summary>
    public bool HasMaskedTask => attention is not null;

    /// <summary>Everything up to the query of equation 6.</summary>
    /// <param name="batch">The users and pairs.</param>
    /// <param name="maskedShows">
    /// For training: the shows with [MASK] in places, which the ID channel sees instead; else null.
    /// </param>
    public M5Output Forward(BatchTensors batch, Tensor? maskedShows = null)
    {
        // 4.2 Multi-modal embedding: b_j = [m_j, s_j1, ..., s_jn].
        var subsidiaries = embedding.Subsidiary(batch.Subsidiaries);                    // [T, n_sub] of width d
        var contents = Config.HasCg ? embedding.Cg(batch.Shows, batch.Live) : null;     // [T, d]

        // 4.3.2 Self-attention over main + subsidiary sums, on the ID channel; 4.3.3 SIN, equation 3, on its outputs
        // for ID, on the raw embeddings for CG.
        var mains = embedding.Id(maskedShows ?? batch.Shows, batch.Live);
        var hidden = Attend(attention, mains, subsidiaries, batch);                     // [T, d]
        var id = Extract(hidden, idIntensity, idRecency, idResidual, idInterestResidual, subsidiaries, batch);
        var cg = contents is null
            ? null
            : Extract(Attend(cgAttention, contents, subsidiaries, batch), cgIntensity, cgRecency, cgResidual, cgInterestResidual, subsidiaries, batch);

        // 3.2 User features x^u and context features x^c.
        var tags = embedding.Tags(batch.Tags, batch.TagStarts, batch.TagWeights);       // [U, TagWidth]
        var narrow = embedding.Fields(batch.Fields, batch.FieldStarts);                 // [U, n, 8]
        var scenario = embedding.Scenario(batch.Pairs.Scenarios);                       // [P, ScenarioWidth]

        // 4.4 Scenario indicator and SMoE, equation 4, once for each channel.
        (Tensor, Tensor?) Mix(ScenarioCrossing crossing, ScenarioMixer experts, ServingMixing? serving, params Interests[] interests) =>
            M5Model.Mix(crossing, experts, serving, interests, tags, narrow, scenario, batch.Pairs);
        if (Config.Channels != ModelChannels.IdAndCg)
        {
            var (u, outputs) = cg is null ? Mix(idCrossing, idExperts, idServing, id) : Mix(idCrossing, idExperts, idServing, id, cg);
            return new M5Output(u, null, null, hidden, outputs, null);
        }

        var (uId, idOutputs) = Mix(idCrossing, idExperts, idServing, id);
        var (uCg, cgOutputs) = Mix(cgCrossing!, cgExperts!, cgServing, cg!);

        // 4.5 The dynamic weight w of equation 6.
        var features = batch.Pairs.OfUsers(cat([tags, narrow.flatten(1)], 1));
        var w = weighting!.Forward(scenario is null ? features : cat([features, scenario], 1));  // [P, 1]
        return new M5Output(uId, uCg, w, hidden, idOutputs, cgOutputs);
    }

    /// <summary>
    /// The self-attention's outputs on the ID channel: what MLM predicts masked main IDs from (section 4.3.2). Subsidiary
    /// features stay. The embeddings themselves where the channel has no self-attention.
    /// </summary>
    /// <param name="shows">Show rows in the batch's places, with [MASK] in some: [T].</param>
    /// <param name="batch">The layout and the subsidiary features.</param>
    /// <param name="wanted">The tokens whose outputs are wanted, [M]; null: all.</param>
    /// <remarks>A model that looks back only looks both ways here.</remarks>
    public Tensor EncodeMasked(Tensor shows, BatchTensors batch, Tensor? wanted = null) =>
        Attend(attention, embedding.Id(shows), embedding.Subsidiary(batch.Subsidiaries), batch, wanted, bothWays: true);

    /// <summary>
    /// The items' side, [E^ID(i), E^CG(i)]: [I, 2d]. Its inner product with <see cref="M5Output.Query"/> is equation 6.
    /// With one channel [I, d]: E^ID(i), or where it combines both an MLP of the two.
    /// </summary>
    public Tensor Items()
    {
        if (!Config.HasCg)
        {
            return embedding.ItemIds();
        }

        var both = cat([embedding.ItemIds(), embedding.ItemCgs()], 1);
        return unifiedItems is null ? both : unifiedItems.forward(both);
    }

    /// <summary>
    /// Rows of the items' side for shows that the model has no ID embedding of, by their CG embeddings: [k, d] to [k, 2d],
    /// with one channel [k, d]. With two the ID part is zero, also where ID embeddings hold content: that share of them
    /// tells known shows apart, and was seen to find new ones worse than the CG channel does alone.
    /// </summary>
    /// <exception cref="InvalidOperationException">The model has no CG table.</exception>
    public Tensor NewItems(Tensor cgs)
    {
        if (!Config.HasCgTable)
        {
            throw new InvalidOperationException($"variant '{Config.Variant}': has no CG table; only shows it was trained with can be found");
        }

        return unifiedItems is null ? cat([zeros_like(cgs), cgs], 1) : unifiedItems.forward(cat([embedding.UnknownIds(cgs), cgs], 1));
    }

    /// <inheritdoc cref="MultiModalEmbedding.IdsByContent"/>
    public Tensor IdsByContent() => embedding.IdsByContent();

    /// <inheritdoc cref="MultiModalEmbedding.LiveIds"/>
    public Tensor LiveIds(Tensor cgs, Tensor byContent) => embedding.LiveIds(cgs, byContent);

    /// <summary>Shows of the index, I.</summary>
    public int Shows => embedding.Shows;

    /// <summary>E^CG of all shows: [I, d].</summary>
    public Tensor ContentRows() => embedding.ItemCgs();

    /// <summary>Logits of MLM's softmax over the ID embedding matrix, equation 2: [M, d] to [M, I].</summary>
    public Tensor MaskedLogits(Tensor hidden) => hidden.matmul(MaskedItems().t());

    /// <summary>The ID embedding matrix that MLM predicts over: [I, d].</summary>
    public Tensor MaskedItems() => embedding.ItemIds();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            idServing?.Dispose();
            cgServing?.Dispose();
        }

        base.Dispose(disposing);
    }

    private static Linear Residual(M5Config config, double start)
    {
        var linear = nn.Linear(config.Width, config.Width, hasBias: false);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        linear.weight!.copy_(eye(config.Width) * start);
        return linear;
    }

    private static (Tensor User, Tensor? Experts) Mix(
        ScenarioCrossing crossing,
        ScenarioMixer experts,
        ServingMixing? serving,
        IReadOnlyList<Interests> channels,
        Tensor tags,
        Tensor narrow,
        Tensor? scenario,
        ScenarioPairs pairs)
    {
        List<Tensor> fields = [];
        foreach (var channel in channels)
        {
            fields.AddRange(channel.Sequences);
            if (channel.Last is not null)
            {
                fields.Add(channel.Last);
            }
        }

        fields.Add(tags);
        fields.AddRange(narrow.unbind(1));
        var (user, outputs) = serving is null
            ? experts.Forward(crossing.Forward(fields, scenario, pairs), pairs)
            : (serving.Forward(cat([.. fields], 1), pairs), null);
        foreach (var channel in channels)
        {
            user = channel.Last is null ? user : user + channel.Residual!.forward(pairs.OfUsers(channel.Last));
            if (channel.InterestResidual is { } residual)
            {
                user = user + residual.forward(pairs.OfUsers(channel.Sequences.Aggregate((a, b) => a + b)));
            }
        }

        return (user, outputs);
    }

    /// <summary>Self-attention over main + subsidiary sums; without an encoder, the mains.</summary>
    private Tensor Attend(
        SelfAttentionEncoder? encoder,
        Tensor mains,
        Decoration? subsidiaries,
        BatchTensors batch,
        Tensor? wanted = null,
        bool bothWays = false)
    {
        if (encoder is null)
        {
            return wanted is null ? mains : mains.index_select(0, wanted);
        }

        var decorated = subsidiaries is null ? mains : mains + subsidiaries.Sums();
        return encoder.Forward(nn.functional.dropout(decorated, Config.EncoderDropout, training), batch, wanted, bothWays);
    }

    private Interests Extract(
        Tensor tokens,
        SubsidiaryIntensity? intensity,
        RecencyIntensity? recency,
        Linear? residual,
        Linear? interestResidual,
        Decoration? subsidiaries,
        BatchTensors batch)
    {
        var logits = intensity?.Forward(tokens, subsidiaries);
        var pooled = InterestPooling.Pool(tokens, logits, recency, batch, Config.MeanPooling).unbind(1);  // slots of [U, d]
        return new Interests([.. slots.Select(s => pooled[s])], LastWatch(tokens, batch), residual, interestResidual);
    }

    private Tensor? LastWatch(Tensor tokens, BatchTensors batch) =>
        Config.LastWatch
            ? cat([tokens, zeros(1, tokens.shape[1], dtype: tokens.dtype, device: tokens.device)], 0).index_select(0, batch.LastWatch)
            : null;

    /// <summary>What a channel knows of the users' behaviours.</summary>
    /// <param name="Sequences">The interest of each sequence, each [U, d].</param>
    /// <param name="Last">The latest watch, [U, d], or null.</param>
    /// <param name="Residual">From it to the user embedding.</param>
    private sealed record Interests(IReadOnlyList<Tensor> Sequences, Tensor? Last, Linear? Residual, Linear? InterestResidual);
}
