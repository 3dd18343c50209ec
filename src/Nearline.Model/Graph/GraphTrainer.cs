using System.Diagnostics;
using Nearline.Model.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Graph;

/// <summary>
/// Trains <see cref="GraphSage"/> without labels: shows that meet on short random walks come out alike, others not
/// (Hamilton, Ying and Leskovec 2017, equation 1).
/// </summary>
/// <remarks>
/// A step's negatives are shared by its pairs, and their mean counts as much as the positive: with one negative for each
/// positive in expectation, shows that meet as often as chance says come out orthogonal.
/// </remarks>
public static class GraphTrainer
{
    /// <summary>Trains, and embeds all shows. Sets the process's torch seed and thread count.</summary>
    /// <param name="graph">What to learn.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told after every epoch.</param>
    /// <param name="cancellationToken">Stops between steps.</param>
    /// <exception cref="ArgumentException">An option makes no sense, or no two shows share a node.</exception>
    public static ContentGraph Train(
        Metagraph graph,
        GraphOptions options,
        IProgress<GraphProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var walks = new MetagraphWalks(graph);
        if (walks.Starts.Count == 0)
        {
            throw new ArgumentException("graph: no two shows share a tag, person, director, brand, category or era; there is nothing to learn", nameof(graph));
        }

        KeptMemory.Use();
        TorchThreads.Use(options.Threads == 0 ? null : options.Threads);
        var device = Devices.Of(options.Device);
        manual_seed(options.Seed);
        var network = ContentGraph.Network(options, GraphVocabulary.Of(graph));
        try
        {
            network.to(device);
            using (var tensors = new GraphTensors(graph, device))
            {
                Learn(walks, tensors, network, options, progress, cancellationToken);
                return ContentGraph.Of(graph, options, network, tensors);
            }
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The mean loss of pairs.</summary>
    /// <param name="embeddings">Of the shows in <paramref name="shows"/>.</param>
    /// <param name="shows">Ascending.</param>
    /// <param name="pairs">Starts and shows met.</param>
    /// <param name="negatives">For all pairs.</param>
    /// <param name="temperature">A cosine divided by it is a logit.</param>
    internal static Tensor Loss(
        Tensor embeddings, int[] shows, ReadOnlySpan<(int Start, int Met)> pairs, ReadOnlySpan<int> negatives, double temperature)
    {
        var (starts, met) = (new long[pairs.Length], new long[pairs.Length]);
        for (var i = 0; i < pairs.Length; i++)
        {
            starts[i] = Array.BinarySearch(shows, pairs[i].Start);
            met[i] = Array.BinarySearch(shows, pairs[i].Met);
        }

        var drawn = new long[negatives.Length];
        for (var i = 0; i < drawn.Length; i++)
        {
            drawn[i] = Array.BinarySearch(shows, negatives[i]);
        }

        var device = embeddings.device;
        var from = embeddings.index_select(0, tensor(starts, device: device));
        var near = (from * embeddings.index_select(0, tensor(met, device: device))).sum(1) / temperature;
        var far = from.matmul(embeddings.index_select(0, tensor(drawn, device: device)).t()) / temperature;
        return nn.functional.softplus(-near).mean() + nn.functional.softplus(far).mean();
    }

    private static void Learn(
        MetagraphWalks walks,
        GraphTensors tensors,
        GraphSage network,
        GraphOptions options,
        IProgress<GraphProgress>? progress,
        CancellationToken cancellationToken)
    {
        Parameter[] parameters = [.. network.parameters()];
        using var optimizer = optim.Adam(parameters, options.LearningRate);
        var random = new Random(options.Seed);
        var clock = Stopwatch.StartNew();
        for (var epoch = 1; epoch <= options.Epochs; epoch++)
        {
            var pairs = walks.Pairs(options.Walks, options.WalkLength, random);
            var loss = 0.0;
            for (var start = 0; start < pairs.Length; start += options.BatchSize)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var batch = pairs.AsSpan(start, Math.Min(options.BatchSize, pairs.Length - start));
                foreach (var group in optimizer.ParamGroups)
                {
                    group.LearningRate = options.LearningRate * (1 - ((epoch - 1 + ((double)start / pairs.Length)) / options.Epochs));
                }

                loss += Step(walks, tensors, network, options, optimizer, batch, random) * batch.Length;
            }

            progress?.Report(new GraphProgress(epoch, options.Epochs, loss / pairs.Length, pairs.Length, clock.Elapsed));
        }
    }

    private static float Step(
        MetagraphWalks walks,
        GraphTensors tensors,
        GraphSage network,
        GraphOptions options,
        optim.Optimizer optimizer,
        ReadOnlySpan<(int Start, int Met)> batch,
        Random random)
    {
        using var scope = NewDisposeScope();
        var negatives = walks.Negatives(options.Negatives, random);
        var distinct = new HashSet<int>(negatives);
        foreach (var (start, met) in batch)
        {
            distinct.Add(start);
            distinct.Add(met);
        }

        int[] shows = [.. distinct];
        Array.Sort(shows);
        var loss = Loss(tensors.Embed(network, shows, options.FanOuts, random), shows, batch, negatives, options.Temperature);
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        return loss.item<float>();
    }
}
