using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Graph;

/// <summary>
/// A layer of GraphSAGE: what an aggregator makes of the neighbours, beside the node's own vector, through a linear map
/// to unit length. Source: Hamilton, Ying and Leskovec, "Inductive representation learning on large graphs", NIPS 2017,
/// algorithm 1 and section 3.3.
/// </summary>
internal sealed class SageLayer : nn.Module
{
    private readonly GraphAggregator aggregator;
    private readonly bool isLast;
    private readonly Linear combine;
    private readonly Linear? pool;
    private readonly Linear? self;
    private readonly Linear? neighbour;
    private readonly Linear? attention;

    /// <param name="aggregator">What it makes of the neighbours.</param>
    /// <param name="inputs">Width of a node's vector.</param>
    /// <param name="outputs">Width of what comes out.</param>
    /// <param name="isLast">No relu at the end, as in the authors' code: inner products may then be negative.</param>
    public SageLayer(GraphAggregator aggregator, int inputs, int outputs, bool isLast)
        : base(nameof(SageLayer))
    {
        this.aggregator = aggregator;
        this.isLast = isLast;
        combine = nn.Linear(2L * inputs, outputs);
        if (aggregator == GraphAggregator.Pooling)
        {
            pool = nn.Linear(inputs, inputs);
        }
        else if (aggregator == GraphAggregator.Attention)
        {
            self = nn.Linear(inputs, 1);
            neighbour = nn.Linear(inputs, inputs);
            attention = nn.Linear(inputs, 1, hasBias: false);
        }

        RegisterComponents();
    }

    /// <summary>What neighbours give, whoever's neighbours they are: [M, inputs] to [M, inputs] or [M, inputs + 1].</summary>
    public Tensor Offer(Tensor nodes)
    {
        switch (aggregator)
        {
            case GraphAggregator.Pooling:
                return nn.functional.relu(pool!.forward(nodes));
            case GraphAggregator.Attention:
                var mapped = neighbour!.forward(nodes);
                return cat([mapped, attention!.forward(mapped)], 1);
            default:
                return nodes;
        }
    }

    /// <summary>The nodes' new vectors, of unit length: [N, outputs].</summary>
    /// <param name="own">Their own vectors, [N, inputs].</param>
    /// <param name="offers">Of all neighbours, from <see cref="Offer"/>.</param>
    /// <param name="neighbours">Rows of offers, [N * K].</param>
    /// <param name="present">[N, K], 1 for a neighbour, 0 for none; a node without any gets a zero aggregate.</param>
    public Tensor Forward(Tensor own, Tensor offers, Tensor neighbours, Tensor present)
    {
        var (count, width) = (present.shape[0], present.shape[1]);
        var mask = present.to(own.dtype).unsqueeze(-1);
        var gathered = offers.index_select(0, neighbours).view(count, width, offers.shape[1]);
        var joined = cat([own, Aggregate(own, gathered, mask)], 1);
        var mapped = combine.forward(joined);
        return nn.functional.normalize(isLast ? mapped : nn.functional.relu(mapped), 2, 1);
    }

    private Tensor Aggregate(Tensor own, Tensor gathered, Tensor mask)
    {
        switch (aggregator)
        {
            case GraphAggregator.Pooling:
                // No offer is below zero, so an absent one at zero changes no maximum.
                return (gathered * mask).amax(1);
            case GraphAggregator.Attention:
                const double none = -1e9;
                var inputs = own.shape[1];
                var logits = nn.functional.leaky_relu(gathered.narrow(2, inputs, 1) + self!.forward(own).unsqueeze(1), 0.2);
                var weights = logits.masked_fill(mask.eq(0), none).softmax(1) * mask;
                return (gathered.narrow(2, 0, inputs) * weights).sum(1);
            default:
                return (gathered * mask).sum(1) / mask.sum(1).clamp_min(1);
        }
    }
}
