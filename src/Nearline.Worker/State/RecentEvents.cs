namespace Nearline.Worker.State;

/// <summary>The identities of a user's latest events, bounded: the oldest is forgotten first.</summary>
internal sealed class RecentEvents
{
    private readonly int capacity;
    private readonly Queue<ulong> order = new();
    private readonly HashSet<ulong> known = [];

    /// <param name="capacity">How many are remembered; zero or more.</param>
    /// <param name="identities">Those to start with, oldest first.</param>
    public RecentEvents(int capacity, IEnumerable<ulong> identities)
    {
        this.capacity = capacity;
        foreach (var identity in identities)
        {
            Add(identity);
        }
    }

    /// <summary>Oldest first.</summary>
    public IReadOnlyCollection<ulong> Identities => order;

    public bool Contains(ulong identity) => known.Contains(identity);

    public void Add(ulong identity)
    {
        if (capacity == 0 || !known.Add(identity))
        {
            return;
        }

        order.Enqueue(identity);
        if (order.Count > capacity)
        {
            known.Remove(order.Dequeue());
        }
    }
}
