using Nearline.Model.Features;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// The L-layer bidirectional Transformer encoder of the ID channel (paper, section 4.3.2), one for all sequences:
/// every block is followed by residual and layer normalisation (post-norm, as in the work that the paper cites;
/// <see cref="M5Config.PreNorm"/> departs).
/// </summary>
/// <remarks>
/// Departure, with <see cref="M5Config.Causal"/>: behaviours see only those before them, and the time and the places
/// between two behaviours add a learned number to their attention, since positions from the end are not known then.
/// </remarks>
internal sealed class SelfAttentionEncoder : nn.Module
{
    private readonly ModuleList<EncoderLayer> layers;
    private readonly LayerNorm? last;

    public SelfAttentionEncoder(M5Config config)
        : base(nameof(SelfAttentionEncoder))
    {
        layers = new ModuleList<EncoderLayer>(
            [.. Enumerable.Range(0, config.Layers).Select(_ => new EncoderLayer(config))]);
        last = config.PreNorm ? nn.LayerNorm(config.Width) : null;
        RegisterComponents();
    }

    /// <summary>Rounds the weights of the large products.</summary>
    public void Freeze(ScalarType precision)
    {
        foreach (var layer in layers)
        {
            layer.Freeze(precision);
        }
    }

    /// <summary>Main plus subsidiary embeddings, [T, d], to hidden states, [T, d]; no sequence sees another.</summary>
    /// <param name="tokens">The embeddings.</param>
    /// <param name="batch">Their layout.</param>
    /// <param name="wanted">The tokens whose hidden states are wanted, [M], for [M, d]; null: all.</param>
    /// <param name="bothWays">Whether a causal encoder looks both ways this once, as MLM does.</param>
    public Tensor Forward(Tensor tokens, BatchTensors batch, Tensor? wanted = null, bool bothWays = false)
    {
        for (var i = 0; i < layers.Count; i++)
        {
            tokens = layers[i].Forward(tokens, batch, i + 1 < layers.Count ? null : wanted, bothWays);
        }

        return last is null ? tokens : last.forward(tokens);
    }
}

/// <summary>Multi-head self-attention and a point-wise feed-forward network.</summary>
internal sealed class EncoderLayer : nn.Module
{
    private readonly Linear qkv;
    private readonly Linear attended;
    private readonly LayerNorm attentionNorm;
    private readonly Linear inner;
    private readonly Linear outer;
    private readonly LayerNorm feedForwardNorm;
    private readonly Embedding? gapBias;
    private readonly Embedding? distanceBias;
    private readonly int heads;
    private readonly int headWidth;
    private readonly double dropout;
    private readonly bool preNorm;

    public EncoderLayer(M5Config config)
        : base(nameof(EncoderLayer))
    {
        var width = config.Width;
        headWidth = config.HeadWidth;
        dropout = config.EncoderDropout;
        preNorm = config.PreNorm;
        heads = width / headWidth;
        qkv = nn.Linear(width, 3 * width);
        attended = nn.Linear(width, width);
        attentionNorm = nn.LayerNorm(width);
        inner = nn.Linear(width, config.FeedForward * width);
        outer = nn.Linear(config.FeedForward * width, width);
        feedForwardNorm = nn.LayerNorm(width);
        if (config.Causal)
        {
            gapBias = Zeros(Buckets.Elapseds);
            distanceBias = Zeros(Buckets.Distances);
        }

        RegisterComponents();
    }

    /// <inheritdoc cref="SelfAttentionEncoder.Freeze"/>
    public void Freeze(ScalarType precision)
    {
        foreach (var layer in new[] { qkv, attended, inner, outer })
        {
            layer.to(precision);
        }
    }

    /// <summary>[T, d] to [T, d]; to [M, d] of the tokens that are wanted, which all others are attended for.</summary>
    public Tensor Forward(Tensor tokens, BatchTensors batch, Tensor? wanted = null, bool bothWays = false)
    {
        using var scope = NewDisposeScope();
        var heard = Attend(MixedPrecision.Forward(qkv, preNorm ? attentionNorm.forward(tokens) : tokens), batch, bothWays);
        if (wanted is not null)
        {
            (tokens, heard) = (tokens.index_select(0, wanted), heard.index_select(0, wanted));
        }

        tokens = tokens + Drop(MixedPrecision.Forward(attended, heard));
        tokens = preNorm ? tokens : attentionNorm.forward(tokens);
        var fed = MixedPrecision.Forward(inner, x => nn.functional.relu(x), outer, preNorm ? feedForwardNorm.forward(tokens) : tokens);
        tokens = tokens + Drop(fed);
        return (preNorm ? tokens : feedForwardNorm.forward(tokens)).MoveToOuterDisposeScope();
    }

    /// <summary>softmax(q k' / sqrt(d_h)) v, group by group: [T, 3d] to [T, d].</summary>
    private Tensor Attend(Tensor projected, BatchTensors batch, bool bothWays)
    {
        var groups = batch.Layout.Groups;
        var parts = projected.split([.. groups.Select(g => (long)g.Count * g.Length)], 0);
        var results = new Tensor[groups.Count];
        for (var g = 0; g < groups.Count; g++)
        {
            var (count, length) = (groups[g].Count, groups[g].Length);
            var split = parts[g].view(count, length, 3, heads, headWidth).permute(2, 0, 3, 1, 4);
            var (q, k, v) = (split[0], split[1], split[2]);
            var scores = q.matmul(k.transpose(-2, -1)) * (1 / Math.Sqrt(headWidth));
            if (gapBias is not null)
            {
                var visibility = batch.Visibility![g];
                scores = scores + gapBias.forward(visibility.Gaps).permute(0, 3, 1, 2) +
                    distanceBias!.forward(visibility.Distances).permute(2, 0, 1);
            }

            if (gapBias is not null && !bothWays)
            {
                scores = scores + batch.Visibility![g].Attention;
            }
            else if (batch.KeyMasks[g] is { } mask)
            {
                scores = scores + ((mask - 1) * 1e9f).view(count, 1, 1, length);
            }

            results[g] = scores.softmax(-1).matmul(v).transpose(1, 2).reshape((long)count * length, (long)heads * headWidth);
        }

        return cat(results, 0);
    }

    private Embedding Zeros(int rows)
    {
        var table = nn.Embedding(rows, heads);
        using var _ = no_grad();
        nn.init.zeros_(table.weight!);
        return table;
    }

    private Tensor Drop(Tensor x) => nn.functional.dropout(x, dropout, training);
}
