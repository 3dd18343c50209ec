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
/// Shapes: U users, T behaviours of all of them (tokens), P (user, scenario) pairs, I shows. Interests do not depend on
/// the scenario, so they are computed once a user; mixing and weighting once a pair.
/// </remarks>
internal sealed class M5Model : nn.Module
{
    private readonly MultiModalEmbedding embedding;
    private readonly SelfAttentionEncoder attention;
    private readonly SubsidiaryIntensity idIntensity;
    private readonly SubsidiaryIntensity cgIntensity;
    private readonly ScenarioCrossing idCrossing;
    private readonly ScenarioCrossing cgCrossing;
    private readonly SplitMixtureOfExperts idExperts;
    private readonly SplitMixtureOfExperts cgExperts;
    private readonly DynamicWeighting weighting;
    private readonly Linear? idResidual;
    private readonly Linear? cgResidual;
    private readonly FeatureSchema schema;

    /// <summary>A model with fresh weights, drawn from torch's generator: seed it before.</summary>
    /// <param name="schema">What the inputs mean.</param>
    /// <param name="config">The shape.</param>
    /// <param name="content">CG embeddings of the shows to start from: [I, d], row-major; null: random ones.</param>
    public M5Model(FeatureSchema schema, M5Config config, float[]? content)
        : base(nameof(M5Model))
    {
        config.Validate();
        this.schema = schema;
        Config = config;
        embedding = new MultiModalEmbedding(schema, config, content);
        attention = new SelfAttentionEncoder(config);
        idIntensity = new SubsidiaryIntensity(config.Width, []);
        cgIntensity = new SubsidiaryIntensity(config.Width, config.SinHidden);

        var behaviours = Enumerable.Repeat(config.Width, SequenceSlots.Count + (config.LastWatch ? 1 : 0));
        var narrow = Enumerable.Repeat(config.FieldWidth, schema.FieldSizes.Count);
        int[] fields = [.. behaviours, config.TagWidth, .. narrow];
        idCrossing = new ScenarioCrossing(fields, config.ScenarioWidth);
        cgCrossing = new ScenarioCrossing(fields, config.ScenarioWidth);
        idExperts = new SplitMixtureOfExperts(idCrossing.OutputWidth, config.Width, schema.Scenarios.Count, config);
        cgExperts = new SplitMixtureOfExperts(cgCrossing.OutputWidth, config.Width, schema.Scenarios.Count, config);
        weighting = new DynamicWeighting(
            config.TagWidth + (schema.FieldSizes.Count * config.FieldWidth) + config.ScenarioWidth, config);
        if (config.LastWatch)
        {
            idResidual = Zero(nn.Linear(config.Width, config.Width, hasBias: false));
            cgResidual = Zero(nn.Linear(config.Width, config.Width, hasBias: false));
        }

        RegisterComponents();
    }

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

    /// <summary>Everything up to the query of equation 6.</summary>
    /// <param name="batch">The users and pairs.</param>
    /// <param name="maskedShows">
    /// For training: the shows with [MASK] in places, which the ID channel sees instead; else null.
    /// </param>
    public M5Output Forward(BatchTensors batch, Tensor? maskedShows = null)
    {
        // 4.2 Multi-modal embedding: b_j = [m_j, s_j1, ..., s_jn].
        var subsidiaries = embedding.Subsidiary(batch.Subsidiaries);                    // [T, n_sub, d]
        var cg = embedding.Cg(batch.Shows);                                             // [T, d]

        // 4.3.2 Self-attention on the ID channel, over main + subsidiary sums.
        var hidden = Encode(maskedShows ?? batch.Shows, subsidiaries, batch);           // [T, d]

        // 4.3.3 SIN, equation 3: on the self-attention's outputs for ID, on the raw embeddings for CG.
        var idInterests = InterestPooling.Pool(
            hidden, idIntensity.Forward(hidden, subsidiaries), batch, Config.MeanPooling);  // [U, slots, d]
        var cgInterests = InterestPooling.Pool(
            cg, cgIntensity.Forward(cg, subsidiaries), batch, Config.MeanPooling);          // [U, slots, d]

        // 3.2 User features x^u and context features x^c.
        var tags = embedding.Tags(batch.Tags, batch.TagStarts, batch.TagWeights);       // [U, TagWidth]
        var narrow = embedding.Fields(batch.Fields);                                    // [U, n, 8]
        var scenario = embedding.Scenario(batch.Pairs.Scenarios);                       // [P, ScenarioWidth]

        // 4.4 Scenario indicator and SMoE, equation 4, once for each channel.
        var lastId = LastWatch(hidden, batch);                                          // [U, d] or null
        var lastCg = LastWatch(cg, batch);
        var (uId, idOutputs) = Mix(idCrossing, idExperts, idInterests, lastId, idResidual, tags, narrow, scenario, batch.Pairs);
        var (uCg, cgOutputs) = Mix(cgCrossing, cgExperts, cgInterests, lastCg, cgResidual, tags, narrow, scenario, batch.Pairs);

        // 4.5 The dynamic weight w of equation 6.
        var w = weighting.Forward(cat(
            [batch.Pairs.OfUsers(cat([tags, narrow.flatten(1)], 1)), scenario], 1));    // [P, 1]
        return new M5Output(uId, uCg, w, hidden, idOutputs, cgOutputs);
    }

    /// <summary>
    /// The self-attention's outputs: what MLM predicts masked main IDs from (section 4.3.2). Subsidiary features stay.
    /// </summary>
    public Tensor Encode(Tensor shows, Tensor subsidiaries, BatchTensors batch)
    {
        var decorated = embedding.Id(shows) + subsidiaries.sum(1);
        return attention.Forward(nn.functional.dropout(decorated, Config.EncoderDropout, training), batch);
    }

    /// <summary><see cref="Encode(Tensor, Tensor, BatchTensors)"/> of other shows in the batch's places.</summary>
    public Tensor Encode(Tensor shows, BatchTensors batch) => Encode(shows, embedding.Subsidiary(batch.Subsidiaries), batch);

    /// <summary>
    /// The items' side, [E^ID(i), E^CG(i)]: [I, 2d]. Its inner product with <see cref="M5Output.Query"/> is equation 6.
    /// </summary>
    public Tensor Items() => cat([embedding.ItemIds(), embedding.ItemCgs()], 1);

    /// <summary>Logits of MLM's softmax over the ID embedding matrix, equation 2: [M, d] to [M, I].</summary>
    public Tensor MaskedLogits(Tensor hidden) => hidden.matmul(embedding.ItemIds().t());

    private static Linear Zero(Linear linear)
    {
        using var _ = no_grad();
        nn.init.zeros_(linear.weight!);
        return linear;
    }

    private (Tensor User, Tensor Experts) Mix(
        ScenarioCrossing crossing,
        SplitMixtureOfExperts experts,
        Tensor interests,
        Tensor? last,
        Linear? residual,
        Tensor tags,
        Tensor narrow,
        Tensor scenario,
        ScenarioPairs pairs)
    {
        List<Tensor> fields = [.. interests.unbind(1)];
        if (last is not null)
        {
            fields.Add(last);
        }

        fields.Add(tags);
        fields.AddRange(narrow.unbind(1));
        var (user, outputs) = experts.Forward(crossing.Forward(fields, scenario, pairs), pairs);
        return (last is null ? user : user + residual!.forward(pairs.OfUsers(last)), outputs);
    }

    private Tensor? LastWatch(Tensor tokens, BatchTensors batch) =>
        Config.LastWatch
            ? cat([tokens, zeros(1, tokens.shape[1], dtype: tokens.dtype, device: tokens.device)], 0).index_select(0, batch.LastWatch)
            : null;
}
