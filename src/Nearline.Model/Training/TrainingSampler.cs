using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Features;

namespace Nearline.Model.Training;

/// <summary>
/// Draws an epoch's instances: folds each user's log once, and encodes at the watches drawn. Users come in random
/// order and in parts, so that memory does not grow with the data set.
/// </summary>
/// <remarks>
/// With <see cref="TrainingOptions.AllPositions"/> a user is a <see cref="Timeline"/> over a window of the log, and every
/// watch in it is drawn.
/// </remarks>
internal sealed class TrainingSampler
{
    private const int PartSize = 20_000;

    private readonly Dataset dataset;
    private readonly FeatureEncoder encoder;
    private readonly TrainingOptions options;
    private readonly int[][] watches;
    private readonly string[] scenarios;
    private readonly Dictionary<string, int> scenarioRows;
    private readonly Timeline timeline;

    /// <param name="dataset">The training part.</param>
    /// <param name="encoder">The encoder.</param>
    /// <param name="options">How many to draw.</param>
    public TrainingSampler(Dataset dataset, FeatureEncoder encoder, TrainingOptions options)
    {
        this.dataset = dataset;
        this.encoder = encoder;
        this.options = options;
        watches = [.. dataset.Users.Select(InstancesOf)];
        scenarios = [.. encoder.Schema.Scenarios];
        scenarioRows = scenarios.Select((s, i) => (s, i)).ToDictionary(p => p.s, p => p.i, StringComparer.Ordinal);
        timeline = new Timeline(encoder);
        PerEpoch = options.AllPositions
            ? dataset.Users.Zip(watches, (log, w) => (long)Math.Ceiling(w.Length * Math.Min(1, (options.WindowLength + 1.0) / Math.Max(1, log.Actions.Count(IsBehaviour))))).Sum()
            : watches.Sum(w => (long)Drawn(w.Length));
    }

    /// <summary>Instances an epoch; with windows over longer logs, about so many.</summary>
    public long PerEpoch { get; }

    /// <summary>The parts of one epoch.</summary>
    public IEnumerable<TrainingSamples> Epoch(Random random)
    {
        var order = Enumerable.Range(0, watches.Length).Where(u => watches[u].Length > 0).ToArray();
        random.Shuffle(order);
        var part = new TrainingSamples();
        foreach (var user in order)
        {
            if (options.AllPositions)
            {
                DrawTimeline(user, random, part);
            }
            else
            {
                Draw(user, random, part);
            }

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

            AddTargets(log.Actions, all, watch, history, random, part);
            encoder.Append(history, history.LastEventTime!.Value, part.Users);
        }
    }

    private void DrawTimeline(int user, Random random, TrainingSamples part)
    {
        var log = options.ShuffleTies ? ShuffleTies(dataset.Users[user], random) : dataset.Users[user];
        var all = options.ShuffleTies ? InstancesOf(log) : watches[user];
        var (from, to) = Window(log.Actions, random);
        var history = UserHistories.Start(log.User);
        var next = 0;
        for (var i = 0; i < to; i++)
        {
            var isInstance = next < all.Length && all[next] == i;
            // The first behaviour of a later window would be predicted from none, as if the user were new.
            if (isInstance && (i > from || from == 0))
            {
                AddTargets(log.Actions, all, next, history, random, part);
                timeline.View(history, i, part.Users);
            }

            next += isInstance ? 1 : 0;
            if (i >= from)
            {
                timeline.Apply(history, log.Actions[i], i);
            }
            else
            {
                history.Apply(log.Actions[i]);
            }
        }

        timeline.Finish(part.Users);
    }

    private void AddTargets(
        IReadOnlyList<UserAction> actions, int[] instances, int instance, UserHistory history, Random random, TrainingSamples part)
    {
        var counted = UnfamiliarWatches.ScenariosOf(actions[instances[instance]], history.Scenarios, scenarios);
        part.Scenarios.Add(scenarioRows[counted[counted.Count == 1 ? 0 : random.Next(counted.Count)]]);
        part.Targets.Add(
            [.. instances.Skip(instance).Take(options.FutureTargets).Select(w => encoder.RowOf(actions[w].ShowId!))]);
    }

    private int[] InstancesOf(UserLog log) =>
        [.. UnfamiliarWatches.Of(log).Where(w => encoder.RowOf(log.Actions[w].ShowId!) >= 0)];

    /// <summary>The part of a log that a timeline covers: all, or a random run of behaviours with one more to predict.</summary>
    private (int From, int To) Window(IReadOnlyList<UserAction> actions, Random random)
    {
        int[] places = [.. Enumerable.Range(0, actions.Count).Where(i => IsBehaviour(actions[i]))];
        if (places.Length <= options.WindowLength + 1)
        {
            return (0, actions.Count);
        }

        var start = random.Next(places.Length - options.WindowLength);
        return (places[start], places[start + options.WindowLength] + 1);
    }

    private static bool IsBehaviour(UserAction action) =>
        action.Kind is ActionKind.Watch or ActionKind.Save or ActionKind.Unsave or ActionKind.Like or ActionKind.Dislike;

    /// <summary>The log with the actions of each instant in random order.</summary>
    private static UserLog ShuffleTies(UserLog log, Random random)
    {
        UserAction[] actions = [.. log.Actions];
        for (var from = 0; from < actions.Length;)
        {
            var to = from + 1;
            while (to < actions.Length && actions[to].Time == actions[from].Time)
            {
                to++;
            }

            random.Shuffle(actions.AsSpan(from, to - from));
            from = to;
        }

        return log with { Actions = actions };
    }
}
