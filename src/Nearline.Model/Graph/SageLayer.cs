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

    /// <summary>Whether a node's own vector has a say in what is made of its neighbours.</summary>
    public bool AggregatesByOwn => aggregator == GraphAggregator.Attention;

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
    /// <param name="counts">
    /// [N, K], how many neighbours give this offer, 0 for none; a node without any gets a zero aggregate.
    /// </param>
    public Tensor Forward(Tensor own, Tensor offers, Tensor neighbours, Tensor counts) =>
        Combine(Own(own) + Aggregated(Aggregate(own, offers, neighbours, counts.to(own.dtype))));

    /// <summary>The same where nodes share aggregates.</summary>
    /// <param name="own">Their own vectors, [N, inputs].</param>
    /// <param name="aggregates">From <see cref="Aggregate(Tensor, Tensor, Tensor)"/>.</param>
    /// <param name="rows">Each node's aggregate, [N].</param>
    public Tensor Forward(Tensor own, Tensor aggregates, Tensor rows) =>
        Combine(Own(own) + Aggregated(aggregates).index_select(0, rows));

    /// <summary>What is made of neighbours, whoever's they are; not for an aggregator that asks, see <see cref="AggregatesByOwn"/>.</summary>
    public Tensor Aggregate(Tensor offers, Tensor neighbours, Tensor counts) =>
        Aggregate(offers, offers, neighbours, counts.to(offers.dtype));

    private Tensor Own(Tensor own) => nn.functional.linear(own, combine.weight!.narrow(1, 0, own.shape[1]), combine.bias);

    private Tensor Aggregated(Tensor aggregates) =>
        nn.functional.linear(aggregates, combine.weight!.narrow(1, aggregates.shape[1], aggregates.shape[1]));

    private Tensor Combine(Tensor mapped) => nn.functional.normalize(isLast ? mapped : nn.functional.relu(mapped), 2, 1);

    private static Tensor Gather(Tensor offers, Tensor neighbours, Tensor counts) =>
        offers.index_select(0, neighbours).view(counts.shape[0], counts.shape[1], offers.shape[1]);

    private Tensor Aggregate(Tensor own, Tensor offers, Tensor neighbours, Tensor counts)
    {
        switch (aggregator)
        {
            case GraphAggregator.Pooling:
                return Largest(offers, neighbours, counts);
            case GraphAggregator.Attention:
                const double none = -1e9;
                var inputs = own.shape[1];
                var gathered = Gather(offers, neighbours, counts);
                var logits = nn.functional.leaky_relu(gathered.narrow(2, inputs, 1) + self!.forward(own).unsqueeze(1), 0.2);
                var weighed = counts.unsqueeze(-1);
                var weights = (logits + weighed.clamp_min(1).log()).masked_fill(weighed.eq(0), none).softmax(1) * weighed.clamp_max(1);
                return (gathered.narrow(2, 0, inputs) * weights).sum(1);
            default:
                return (Gather(offers, neighbours, counts) * counts.unsqueeze(-1)).sum(1) / counts.sum(1, keepdim: true).clamp_min(1);
        }
    }

    /// <summary>
    /// Who offers the most is found first, without gradient; then only these numbers are read: far fewer than all
    /// neighbours', which a maximum would hand its gradient back to.
    /// </summary>
    private static Tensor Largest(Tensor offers, Tensor neighbours, Tensor counts)
    {
        var width = counts.shape[1];
        Tensor rows;
        using (no_grad())
        {
            // No offer is below zero.
            var gathered = Gather(offers, neighbours, counts).masked_fill_(counts.eq(0).unsqueeze(-1), -1);
            var best = gathered.amax([1], keepdim: true);
            if (!offers.requires_grad)
            {
                return best.squeeze(1).clamp_min_(0);
            }

            // The first of equals has the highest rank; argmax, which says the same, takes many times as long on a CPU.
            var ranks = arange(width, 0, -1, dtype: offers.dtype, device: offers.device).view(1, width, 1);
            var places = width - gathered.eq(best).to(offers.dtype).mul_(ranks).amax(1);
            rows = neighbours.view(-1, width).gather(1, places.clamp_max_(width - 1).to(ScalarType.Int64));
        }

        return offers.gather(0, rows) * counts.amax([1], keepdim: true).clamp_max(1);
    }
}
