using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Data.Simulation;
using Nearline.Model.Serving;

namespace Nearline.Bench.Gpu;

/// <summary>A simulated world and its users, as requests.</summary>
internal sealed class World(SimulationOptions options)
{
    public Dataset Dataset { get; } = SimulatedWorld.Generate(options);

    /// <summary>Every user after a part of what they did, from nothing to all.</summary>
    public IReadOnlyList<RetrievalRequest> Requests(int seed)
    {
        var random = new Random(seed);
        return [.. Dataset.Users.Select((log, u) => Request(log, u == 0 ? 0 : random.Next(log.Actions.Count + 1)))];
    }

    /// <summary>Users after all that they did.</summary>
    public IReadOnlyList<RetrievalRequest> Requests() => [.. Dataset.Users.Select(log => Request(log, log.Actions.Count))];

    private RetrievalRequest Request(UserLog log, int actions)
    {
        var history = UserHistories.Start(log.User);
        foreach (var action in log.Actions.Take(actions))
        {
            history.Apply(action);
        }

        return new RetrievalRequest(log.User.Id, history, actions == 0 ? options.Start : log.Actions[actions - 1].Time);
    }
}
