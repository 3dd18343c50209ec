using Nearline.Model.Data;
using Nearline.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Evaluation;

/// <summary>
/// SASRec with full softmax cross-entropy: self-attention over the shows a user watched, in the order in which they
/// were begun, predicts the next one; the strong sequential baseline. Sources: Kang and McAuley, Self-Attentive
/// Sequential Recommendation, ICDM 2018; cross-entropy over the whole catalog in place of its sampled loss: Klenitskiy
/// and Vasilev, Turning Dross Into Gold Loss, RecSys 2023.
/// </summary>
public sealed class Sasrec : ScoringBaseline
{
    private readonly SasrecNetwork network;
    private readonly Device device;

    private Sasrec(Dataset train, TrainingWatches watches, SasrecNetwork network, int maxLength, Device device)
        : base("sasrec", train, watches, maxLength) => (this.network, this.device) = (network, device);

    /// <summary>Epochs that ran.</summary>
    public int Epochs { get; private init; }

    /// <summary>The one whose weights it has.</summary>
    public int BestEpoch { get; private init; }

    /// <summary>
    /// Learns from a split's training part and keeps the weights with the best NDCG@10 on its validation targets; the
    /// last epoch's when there are none. Sets the process's torch seed and thread count.
    /// </summary>
    /// <param name="split">What to learn from and choose by; its test targets are not looked at.</param>
    /// <param name="options">Shape and training.</param>
    /// <param name="progress">Told after every epoch.</param>
    /// <param name="cancellationToken">Stops between steps.</param>
    /// <exception cref="ArgumentException">An option makes no sense, or no user watched two shows.</exception>
    public static Sasrec Train(
        Split split, SasrecOptions options, IProgress<SasrecProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(split);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        KeptMemory.Use();
        TorchThreads.Use(options.Threads == 0 ? null : options.Threads);
        var place = Devices.Of(options.Device);
        var watches = TrainingWatches.Of(split.TrainDataset, byFirstWatch: true);
        manual_seed(options.Seed);
        var trained = new SasrecNetwork(watches.Shows.Count, options);
        try
        {
            trained.to(place);
            var (epochs, best) = new SasrecTrainer(split, watches, trained, options, place).Train(progress, cancellationToken);
            return new Sasrec(split.TrainDataset, watches, trained, options.MaxLength, place) { Epochs = epochs, BestEpoch = best };
        }
        catch
        {
            trained.Dispose();
            throw;
        }
    }

    /// <summary>Scores of all shows after each history, row by row; an empty history scores zeros.</summary>
    internal static void Score(
        SasrecNetwork trained, IReadOnlyList<ArraySegment<int>> histories, IReadOnlyList<Memory<float>> scores, Device place)
    {
        int[] users = [.. Enumerable.Range(0, histories.Count).Where(i => histories[i].Count > 0)];
        if (users.Length == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var batch = SasrecBatch.Of([.. users.Select(u => histories[u])], place);
        var hidden = trained.Forward(batch).index_select(0, tensor(batch.LastTokens(), device: place));
        var all = trained.Scores(hidden).cpu().data<float>().ToArray();
        for (var i = 0; i < users.Length; i++)
        {
            var own = scores[users[i]].Span;
            all.AsSpan(i * own.Length, own.Length).CopyTo(own);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            network.Dispose();
        }

        base.Dispose(disposing);
    }

    private protected override void Score(IReadOnlyList<ArraySegment<int>> histories, IReadOnlyList<Memory<float>> scores) =>
        Score(network, histories, scores, device);
}
