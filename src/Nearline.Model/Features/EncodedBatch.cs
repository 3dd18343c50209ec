using System.Runtime.InteropServices;

namespace Nearline.Model.Features;

/// <summary>
/// Encoded users, packed: no padding anywhere, variable parts as flat lists with offsets. Reusable: <see cref="Clear"/>
/// keeps the memory.
/// </summary>
public sealed class EncodedBatch
{
    /// <summary>Offsets of the sequences in <see cref="Shows"/>: six a user, one more at the end.</summary>
    internal List<int> SequenceStarts { get; } = [0];

    /// <summary>Row of each behaviour's show in the show tables; oldest first within a sequence.</summary>
    internal List<int> Shows { get; } = [];

    /// <summary>Rows of the subsidiary features, <see cref="Features.Subsidiaries.Count"/> a behaviour.</summary>
    internal List<int> Subsidiaries { get; } = [];

    /// <summary>Rows of the narrow fields: one of each of the schema's fields a user, or several of a multi-hot one.</summary>
    internal List<int> Fields { get; } = [];

    /// <summary>Offsets of the fields in <see cref="Fields"/>: as many a user as the schema has, one more at the end.</summary>
    internal List<int> FieldStarts { get; } = [0];

    /// <summary>Offsets of the users' tags, one more at the end.</summary>
    internal List<int> TagStarts { get; } = [0];

    /// <summary>Tags of the shows that the user watched.</summary>
    internal List<int> Tags { get; } = [];

    /// <summary>TF-IDF of each tag, of unit length for each user.</summary>
    internal List<float> TagWeights { get; } = [];

    /// <summary>Index in <see cref="Shows"/> of each user's latest watch; -1 without one.</summary>
    internal List<int> LastWatch { get; } = [];

    /// <summary>Offsets of the users' watched shows, one more at the end.</summary>
    internal List<int> WatchedStarts { get; } = [0];

    /// <summary>Index rows (not table rows) of the shows that the user watched.</summary>
    internal List<int> Watched { get; } = [];

    /// <summary>Users in the batch.</summary>
    public int Count => LastWatch.Count;

    /// <summary>Behaviours in the batch.</summary>
    public int Behaviours => Shows.Count;

    /// <summary>The rows of a user's watched shows.</summary>
    internal ReadOnlySpan<int> WatchedOf(int user) =>
        CollectionsMarshal.AsSpan(Watched)[WatchedStarts[user]..WatchedStarts[user + 1]];

    /// <summary>Forgets the users, keeps the memory.</summary>
    public void Clear()
    {
        SequenceStarts.Clear();
        SequenceStarts.Add(0);
        Shows.Clear();
        Subsidiaries.Clear();
        Fields.Clear();
        FieldStarts.Clear();
        FieldStarts.Add(0);
        TagStarts.Clear();
        TagStarts.Add(0);
        Tags.Clear();
        TagWeights.Clear();
        LastWatch.Clear();
        WatchedStarts.Clear();
        WatchedStarts.Add(0);
        Watched.Clear();
    }

    /// <summary>Appends one user of another batch.</summary>
    internal void AppendFrom(EncodedBatch source, int user)
    {
        var firstSlot = user * SequenceSlots.Count;
        var from = source.SequenceStarts[firstSlot];
        var to = source.SequenceStarts[firstSlot + SequenceSlots.Count];
        var shift = Shows.Count - from;
        for (var slot = 1; slot <= SequenceSlots.Count; slot++)
        {
            SequenceStarts.Add(source.SequenceStarts[firstSlot + slot] + shift);
        }

        Shows.AddRange(CollectionsMarshal.AsSpan(source.Shows)[from..to]);
        Subsidiaries.AddRange(CollectionsMarshal.AsSpan(source.Subsidiaries)[
            (from * Features.Subsidiaries.Count)..(to * Features.Subsidiaries.Count)]);
        var fields = (source.FieldStarts.Count - 1) / source.Count;
        for (var field = user * fields; field < (user + 1) * fields; field++)
        {
            Fields.AddRange(CollectionsMarshal.AsSpan(source.Fields)[source.FieldStarts[field]..source.FieldStarts[field + 1]]);
            FieldStarts.Add(Fields.Count);
        }

        Tags.AddRange(CollectionsMarshal.AsSpan(source.Tags)[source.TagStarts[user]..source.TagStarts[user + 1]]);
        TagWeights.AddRange(CollectionsMarshal.AsSpan(source.TagWeights)[source.TagStarts[user]..source.TagStarts[user + 1]]);
        TagStarts.Add(Tags.Count);
        LastWatch.Add(source.LastWatch[user] < 0 ? -1 : source.LastWatch[user] + shift);
        Watched.AddRange(source.WatchedOf(user));
        WatchedStarts.Add(Watched.Count);
    }
}
