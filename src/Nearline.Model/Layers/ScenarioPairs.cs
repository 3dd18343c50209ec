using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// The (user, scenario) pairs of a batch: a training sample is one pair, a served user has one for each scenario.
/// Split Mixture-of-Experts runs a tower a scenario, so pairs are also known sorted by scenario.
/// </summary>
internal sealed class ScenarioPairs
{
    private ScenarioPairs()
    {
    }

    /// <summary>Pairs, P.</summary>
    public int Count { get; private init; }

    /// <summary>The user of each pair, [P]; null when pair i is of user i.</summary>
    public Tensor? Users { get; private init; }

    /// <summary>The scenario of each pair: [P].</summary>
    public required Tensor Scenarios { get; init; }

    /// <summary>The pairs sorted by scenario, [P]; null when they are already.</summary>
    public Tensor? Order { get; private init; }

    /// <summary>Where each pair is in <see cref="Order"/>: [P]; null when that is.</summary>
    public Tensor? Inverse { get; private init; }

    /// <summary>Pairs of each scenario.</summary>
    public required long[] Sizes { get; init; }

    public static ScenarioPairs Of(
        ReadOnlySpan<int> users, ReadOnlySpan<int> scenarios, int userCount, int scenarioCount, Device device)
    {
        if (users.Length != scenarios.Length)
        {
            throw new ArgumentException($"pairs: {users.Length} users and {scenarios.Length} scenarios; each pair has one of both", nameof(scenarios));
        }

        var count = users.Length;
        var (isIdentity, isSorted) = (count == userCount, true);
        var wideUsers = new long[count];
        var wideScenarios = new long[count];
        var sizes = new long[scenarioCount];
        for (var p = 0; p < count; p++)
        {
            isIdentity &= users[p] == p;
            isSorted &= p == 0 || scenarios[p - 1] <= scenarios[p];
            wideUsers[p] = users[p];
            wideScenarios[p] = scenarios[p];
            sizes[scenarios[p]]++;
        }

        Tensor? order = null;
        Tensor? inverse = null;
        if (!isSorted)
        {
            var next = new long[scenarioCount];
            for (var s = 1; s < scenarioCount; s++)
            {
                next[s] = next[s - 1] + sizes[s - 1];
            }

            var places = new long[count];
            var sorted = new long[count];
            for (var p = 0; p < count; p++)
            {
                places[p] = next[scenarios[p]]++;
                sorted[places[p]] = p;
            }

            order = BatchTensors.Index(sorted, device);
            inverse = BatchTensors.Index(places, device);
        }

        return new ScenarioPairs
        {
            Count = count,
            Users = isIdentity ? null : BatchTensors.Index(wideUsers, device),
            Scenarios = BatchTensors.Index(wideScenarios, device),
            Order = order,
            Inverse = inverse,
            Sizes = sizes,
        };
    }

    /// <summary>The rows of a scenario's pairs: [P, ...] to [pairs of it, ...].</summary>
    public Tensor RowsOf(int scenario, Tensor perPair)
    {
        var start = Sizes.AsSpan(0, scenario).ToArray().Sum();
        return Order is null
            ? perPair.narrow(0, start, Sizes[scenario])
            : perPair.index_select(0, Order.narrow(0, start, Sizes[scenario]));
    }

    /// <summary>Rows by scenario, those of scenarios without pairs left out, in the order of the pairs: [P, ...].</summary>
    public Tensor Gather(List<Tensor> byScenario)
    {
        var gathered = cat(byScenario, 0);
        return Inverse is null ? gathered : gathered.index_select(0, Inverse);
    }

    /// <summary>Rows of users as rows of pairs: [U, ...] to [P, ...].</summary>
    public Tensor OfUsers(Tensor perUser) => Users is null ? perUser : perUser.index_select(0, Users);

    /// <summary>The place of each pair in a table of users by scenarios, row by row: [P].</summary>
    public Tensor Cells(int scenarios) => Users is null
        ? Scenarios + (arange(Count, dtype: Scenarios.dtype, device: Scenarios.device) * scenarios)
        : Scenarios + (Users * scenarios);
}
