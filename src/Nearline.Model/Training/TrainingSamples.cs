using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Features;

namespace Nearline.Model.Training;

/// <summary>Encoded instances with their targets: a part of an epoch.</summary>
internal sealed class TrainingSamples
{
    /// <summary>The users just before their targets.</summary>
    public EncodedBatch Users { get; } = new();

    /// <summary>The scenario row of each.</summary>
    public List<int> Scenarios { get; } = [];

    /// <summary>Index rows of the targets of each, the next watch first.</summary>
    public List<int[]> Targets { get; } = [];

    /// <summary>Instances.</summary>
    public int Count => Targets.Count;
}

/// <summary>
/// Draws an epoch's instances: folds each user's log once, and encodes at the watches drawn. Users come in random
/// order and in parts, so that memory does not grow with the data set.
/// </summary>
internal sealed class TrainingSampler
{
    private const int PartSize = 20_000;

    private readonly Dataset dataset;
    private readonly FeatureEncoder encoder;
    private readonly TrainingOptions options;
    private readonly int[][] watches;
    private readonly string[] scenarios;
    private readonly Dictionary<string, int> scenarioRows;

    /// <param name="dataset">The training part.</param>
    /// <param name="encoder">The encoder.</param>
    /// <param name="options">How many to draw.</param>
    public TrainingSampler(Dataset dataset, FeatureEncoder encoder, TrainingOptions options)
    {
        this.dataset = dataset;
        this.encoder = encoder;
        this.options = options;
        watches = [.. dataset.Users.Select(u => UnfamiliarWatches.Of(u).Where(w => encoder.RowOf(u.Actions[w].ShowId!) >= 0).ToArray())];
        scenarios = [.. encoder.Schema.Scenarios];
        scenarioRows = scenarios.Select((s, i) => (s, i)).ToDictionary(p => p.s, p => p.i, StringComparer.Ordinal);
        PerEpoch = watches.Sum(w => Drawn(w.Length));
    }

    /// <summary>Instances an epoch.</summary>
    public long PerEpoch { get; }

    /// <summary>The parts of one epoch.</summary>
    public IEnumerable<TrainingSamples> Epoch(Random random)
    {
        var order = Enumerable.Range(0, watches.Length).Where(u => watches[u].Length > 0).ToArray();
        random.Shuffle(order);
        var part = new TrainingSamples();
        foreach (var user in order)
        {
            Draw(user, random, part);
            if (part.Count >= PartSize)
            {
                yield return part;
                part = new TrainingSamples();
            }
        }

        if (part.Count > 0)
        {
            yield return part;
        }
    }

    private int Drawn(int available) =>
        options.SamplesPerUser == 0 ? available : Math.Min(available, options.SamplesPerUser);

    private void Draw(int user, Random random, TrainingSamples part)
    {
        var log = dataset.Users[user];
        var all = watches[user];
        var drawn = Enumerable.Range(0, all.Length).ToArray();
        if (Drawn(all.Length) < all.Length)
        {
            random.Shuffle(drawn);
            drawn = drawn[..Drawn(all.Length)];
            Array.Sort(drawn);
        }

        var history = UserHistories.Start(log.User);
        var next = 0;
        foreach (var watch in drawn)
        {
            for (; next < all[watch]; next++)
            {
                history.Apply(log.Actions[next]);
            }

            var counted = UnfamiliarWatches.ScenariosOf(log.Actions[all[watch]], history.Scenarios, scenarios);
            part.Scenarios.Add(scenarioRows[counted[counted.Count == 1 ? 0 : random.Next(counted.Count)]]);
            part.Targets.Add(
                [.. all.Skip(watch).Take(options.FutureTargets).Select(w => encoder.RowOf(log.Actions[w].ShowId!))]);
            encoder.Append(history, history.LastEventTime!.Value, part.Users);
        }
    }
}
