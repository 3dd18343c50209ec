using System.Runtime.InteropServices;

namespace Nearline.Model.Features;

/// <summary>
/// Encoded users, packed: no padding anywhere, variable parts as flat lists with offsets. Reusable: <see cref="Clear"/>
/// keeps the memory.
/// </summary>
/// <remarks>
/// A user's sequences are seen by one or more views, each the user at one time. Serving has one view a user, which sees
/// everything; a <see cref="Timeline"/> has many, each of which sees what was done before it.
/// </remarks>
public sealed class EncodedBatch
{
    /// <summary>Offsets of the sequences in <see cref="Shows"/>: six a user, one more at the end.</summary>
    internal List<int> SequenceStarts { get; } = [0];

    /// <summary>Row of each behaviour's show in the show tables, or past them that of a live show; oldest first within a sequence.</summary>
    internal List<int> Shows { get; } = [];

    /// <summary>Rows of the subsidiary features, <see cref="Features.Subsidiaries.Count"/> a behaviour.</summary>
    internal List<int> Subsidiaries { get; } = [];

    /// <summary>When each behaviour was last engaged in, in UTC ticks.</summary>
    internal List<long> Times { get; } = [];

    /// <summary>The place in the user's log from which on each behaviour is there, rising within a sequence.</summary>
    internal List<int> From { get; } = [];

    /// <summary>The place in the user's log until which it is: then it was taken back, or engaged in anew.</summary>
    internal List<int> Until { get; } = [];

    /// <summary>Offsets of the users' views, one more at the end.</summary>
    internal List<int> ViewStarts { get; } = [0];

    /// <summary>The place of each view in its user's log: it sees behaviours with From below and Until not below it.</summary>
    internal List<int> ViewAt { get; } = [];

    /// <summary>The time of each view, in UTC ticks.</summary>
    internal List<long> ViewTimes { get; } = [];

    /// <summary>Rows of the narrow fields: one of each of the schema's fields a view, or several of a multi-hot one.</summary>
    internal List<int> Fields { get; } = [];

    /// <summary>Offsets of the fields in <see cref="Fields"/>: as many a view as the schema has, one more at the end.</summary>
    internal List<int> FieldStarts { get; } = [0];

    /// <summary>Offsets of the views' tags, one more at the end.</summary>
    internal List<int> TagStarts { get; } = [0];

    /// <summary>Tags of the shows that were watched.</summary>
    internal List<int> Tags { get; } = [];

    /// <summary>TF-IDF of each tag, of unit length for each view.</summary>
    internal List<float> TagWeights { get; } = [];

    /// <summary>Index in <see cref="Shows"/> of each view's latest watch; -1 without one.</summary>
    internal List<int> LastWatch { get; } = [];

    /// <summary>Offsets of the views' watched shows, one more at the end.</summary>
    internal List<int> WatchedStarts { get; } = [0];

    /// <summary>Index rows (not table rows) of the shows that were watched.</summary>
    internal List<int> Watched { get; } = [];

    /// <summary>Views in the batch.</summary>
    public int Count => LastWatch.Count;

    /// <summary>Users in the batch.</summary>
    public int Users => ViewStarts.Count - 1;

    /// <summary>Behaviours in the batch.</summary>
    public int Behaviours => Shows.Count;

    /// <summary>The rows of a view's watched shows.</summary>
    internal ReadOnlySpan<int> WatchedOf(int view) =>
        CollectionsMarshal.AsSpan(Watched)[WatchedStarts[view]..WatchedStarts[view + 1]];

    /// <summary>Forgets the users, keeps the memory.</summary>
    public void Clear()
    {
        SequenceStarts.Clear();
        SequenceStarts.Add(0);
        Shows.Clear();
        Times.Clear();
        From.Clear();
        Until.Clear();
        ViewStarts.Clear();
        ViewStarts.Add(0);
        ViewAt.Clear();
        ViewTimes.Clear();
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

    /// <summary>Appends one user of another batch, with all views.</summary>
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

        Copy(source.Shows, Shows, from, to);
        Copy(source.Times, Times, from, to);
        Copy(source.From, From, from, to);
        Copy(source.Until, Until, from, to);
        Copy(source.Subsidiaries, Subsidiaries, from * Features.Subsidiaries.Count, to * Features.Subsidiaries.Count);
        var (first, last) = (source.ViewStarts[user], source.ViewStarts[user + 1]);
        var fields = (source.FieldStarts.Count - 1) / source.Count;
        Copy(source.ViewAt, ViewAt, first, last);
        Copy(source.ViewTimes, ViewTimes, first, last);
        Copy(source.Fields, Fields, source.FieldStarts[first * fields], source.FieldStarts[last * fields]);
        Copy(source.Tags, Tags, source.TagStarts[first], source.TagStarts[last]);
        Copy(source.TagWeights, TagWeights, source.TagStarts[first], source.TagStarts[last]);
        Copy(source.Watched, Watched, source.WatchedStarts[first], source.WatchedStarts[last]);
        for (var field = first * fields; field < last * fields; field++)
        {
            FieldStarts.Add(FieldStarts[^1] + source.FieldStarts[field + 1] - source.FieldStarts[field]);
        }

        for (var view = first; view < last; view++)
        {
            TagStarts.Add(TagStarts[^1] + source.TagStarts[view + 1] - source.TagStarts[view]);
            WatchedStarts.Add(WatchedStarts[^1] + source.WatchedStarts[view + 1] - source.WatchedStarts[view]);
            LastWatch.Add(source.LastWatch[view] < 0 ? -1 : source.LastWatch[view] + shift);
        }

        ViewStarts.Add(Count);
    }

    private static void Copy<T>(List<T> source, List<T> target, int from, int to) =>
        target.AddRange(CollectionsMarshal.AsSpan(source)[from..to]);
}
