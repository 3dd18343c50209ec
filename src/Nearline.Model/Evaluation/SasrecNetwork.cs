using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Evaluation;

/// <summary>
/// The network of SASRec: item and position embeddings, causal self-attention blocks, one item table for input and
/// output. Source: Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018, section III.
/// </summary>
internal sealed class SasrecNetwork : nn.Module
{
    private const double InitialDeviation = 0.02;

    private readonly Embedding items;
    private readonly Embedding positions;
    private readonly ModuleList<SasrecBlock> blocks;
    private readonly LayerNorm norm;
    private readonly double dropout;

    public SasrecNetwork(int shows, SasrecOptions options)
        : base(nameof(SasrecNetwork))
    {
        dropout = options.Dropout;
        items = nn.Embedding(shows, options.Width);
        positions = nn.Embedding(options.MaxLength, options.Width);
        blocks = new ModuleList<SasrecBlock>(
            [.. Enumerable.Range(0, options.Layers).Select(_ => new SasrecBlock(options.Width, options.Heads, options.Dropout))]);
        norm = nn.LayerNorm(options.Width);
        RegisterComponents();
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, parameter) in named_parameters())
        {
            if (parameter.ndim == 2)
            {
                nn.init.normal_(parameter, 0, InitialDeviation);
            }
            else if (name.EndsWith("bias", StringComparison.Ordinal))
            {
                nn.init.zeros_(parameter);
            }
        }
    }

    /// <summary>Hidden states of all tokens, [T, d]; each knows its own show and the earlier ones.</summary>
    public Tensor Forward(SasrecBatch batch)
    {
        var tokens = items.forward(batch.Shows) + positions.forward(batch.Positions);
        tokens = nn.functional.dropout(tokens, dropout, training);
        foreach (var block in blocks)
        {
            tokens = block.Forward(tokens, batch);
        }

        return norm.forward(tokens);
    }

    /// <summary>Scores of all shows: hidden states [N, d] to [N, shows].</summary>
    public Tensor Scores(Tensor hidden) => hidden.matmul(items.weight!.t());
}

/// <summary>x + attention(norm(x)), then x + feed-forward(norm(x)).</summary>
internal sealed class SasrecBlock : nn.Module
{
    private readonly LayerNorm attentionNorm;
    private readonly Linear qkv;
    private readonly Linear attended;
    private readonly LayerNorm feedForwardNorm;
    private readonly Linear inner;
    private readonly Linear outer;
    private readonly int heads;
    private readonly double dropout;

    public SasrecBlock(int width, int heads, double dropout)
        : base(nameof(SasrecBlock))
    {
        this.heads = heads;
        this.dropout = dropout;
        attentionNorm = nn.LayerNorm(width);
        qkv = nn.Linear(width, 3 * width);
        attended = nn.Linear(width, width);
        feedForwardNorm = nn.LayerNorm(width);
        inner = nn.Linear(width, width);
        outer = nn.Linear(width, width);
        RegisterComponents();
    }

    public Tensor Forward(Tensor tokens, SasrecBatch batch)
    {
        tokens = tokens + Drop(attended.forward(Attend(qkv.forward(attentionNorm.forward(tokens)), batch)));
        var hidden = Drop(nn.functional.relu(inner.forward(feedForwardNorm.forward(tokens))));
        return tokens + Drop(outer.forward(hidden));
    }

    /// <summary>Causal attention, group by group: [T, 3d] to [T, d].</summary>
    private Tensor Attend(Tensor projected, SasrecBatch batch)
    {
        var groups = batch.Layout.Groups;
        var parts = projected.split([.. groups.Select(g => (long)g.Count * g.Length)], 0);
        var results = new Tensor[groups.Count];
        for (var g = 0; g < results.Length; g++)
        {
            var (count, length) = (groups[g].Count, groups[g].Length);
            var split = parts[g].view(count, length, 3, heads, -1).permute(2, 0, 3, 1, 4);
            results[g] = nn.functional.scaled_dot_product_attention(
                split[0], split[1], split[2], null, training ? dropout : 0, true).transpose(1, 2).reshape((long)count * length, -1);
        }

        return cat(results, 0);
    }

    private Tensor Drop(Tensor x) => nn.functional.dropout(x, dropout, training);
}
