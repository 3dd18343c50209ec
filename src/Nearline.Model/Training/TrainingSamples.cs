using Nearline.Model.Features;

namespace Nearline.Model.Training;

/// <summary>Encoded instances with their targets: a part of an epoch, or a batch of it.</summary>
/// <remarks>An instance is a view of <see cref="Users"/>; the views of one user stay together.</remarks>
internal sealed class TrainingSamples
{
    /// <summary>The users just before their targets.</summary>
    public EncodedBatch Users { get; } = new();

    /// <summary>The scenario row of each instance.</summary>
    public List<int> Scenarios { get; } = [];

    /// <summary>Index rows of the targets of each instance, the next watch first.</summary>
    public List<int[]> Targets { get; } = [];

    /// <summary>Instances.</summary>
    public int Count => Targets.Count;

    /// <summary>
    /// The instances in random order, in batches of at least the size, as far as there are; a user whose views pass it
    /// is the last of its batch. A batch is valid until the next.
    /// </summary>
    public IEnumerable<TrainingSamples> Batches(int size, Random random)
    {
        var order = Enumerable.Range(0, Users.Users).ToArray();
        random.Shuffle(order);
        var batch = new TrainingSamples();
        foreach (var user in order)
        {
            batch.Users.AppendFrom(Users, user);
            for (var view = Users.ViewStarts[user]; view < Users.ViewStarts[user + 1]; view++)
            {
                batch.Scenarios.Add(Scenarios[view]);
                batch.Targets.Add(Targets[view]);
            }

            if (batch.Count >= size)
            {
                yield return batch;
                batch.Clear();
            }
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    private void Clear()
    {
        Users.Clear();
        Scenarios.Clear();
        Targets.Clear();
    }
}
