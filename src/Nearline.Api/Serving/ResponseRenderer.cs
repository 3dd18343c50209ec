using System.Buffers;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Serving;

/// <summary>
/// Turns a stored set into the bytes of a <see cref="GetCandidatesResponse"/>, from columns to rows, without an object
/// a candidate.
/// </summary>
internal static class ResponseRenderer
{
    private const int MaxVersion = 3;
    private const int FixedPart = 256;

    /// <summary>Renders what the filter admits, best first.</summary>
    /// <param name="set">The stored set.</param>
    /// <param name="filter">Decides show by show.</param>
    /// <param name="limit">The most candidates; 0: all.</param>
    /// <param name="facts">The rest of the response; a personal source has trigger and variant too.</param>
    /// <param name="tally">What was admitted and what was left out before the limit was reached.</param>
    public static RenderedResponse Render(
        StoredSet set, in ShowFilter filter, int limit, ResponseFacts facts, out FilterTally tally)
    {
        // Ids come with tag and length already, and the limit may cut: this is never too small.
        var most = set.Ids.Length + (set.Count * WireWriter.CandidateOverhead) + set.ModelVersion.Length
            + set.TriggerEventId.Length + set.GeneratedAt.Length + set.TriggerEventTime.Length
            + (MaxVersion * ((facts.ModelVersion?.Length ?? 0) + facts.Variant.Length)) + FixedPart + WireWriter.Slack;
        var rented = ArrayPool<byte>.Shared.Rent(most);
        var writer = new WireWriter(rented);
        WriteCandidates(set, filter, limit, ref writer, out tally);
        writer.WriteNumber(GetCandidatesResponse.SourceFieldNumber, (ulong)facts.Source);
        if (facts.ModelVersion is { } version)
        {
            writer.WriteText(GetCandidatesResponse.ModelVersionFieldNumber, version);
        }
        else
        {
            writer.WriteBytes(GetCandidatesResponse.ModelVersionFieldNumber, set.ModelVersion);
        }

        WriteTime(ref writer, GetCandidatesResponse.GeneratedAtFieldNumber, set.GeneratedAt);
        if (facts.Age is { } age)
        {
            WriteAge(ref writer, age);
        }

        if (facts.Source is CandidateSource.Personalized or CandidateSource.Stale)
        {
            writer.WriteBytes(GetCandidatesResponse.TriggerEventIdFieldNumber, set.TriggerEventId);
            WriteTime(ref writer, GetCandidatesResponse.TriggerEventTimeFieldNumber, set.TriggerEventTime);
            writer.WriteText(GetCandidatesResponse.VariantFieldNumber, facts.Variant);
        }

        return new RenderedResponse(rented, writer.Position);
    }

    private static void WriteCandidates(
        StoredSet set, in ShowFilter filter, int limit, ref WireWriter writer, out FilterTally tally)
    {
        tally = default;
        foreach (var show in set)
        {
            if (limit != 0 && tally.Admitted == limit)
            {
                return;
            }

            var verdict = filter.AdmitsAll ? FilterVerdict.Admitted : filter.Judge(StableHash.Of(show.Id), show.Category);
            if (tally.Note(verdict))
            {
                var score = show.Score;
                if (show.IdScore is { } idScore)
                {
                    writer.WriteCandidate(show.Id, score, idScore, score - idScore);
                }
                else
                {
                    writer.WriteCandidate(show.Id, score, 0, 0);
                }
            }
        }
    }

    // A time that cannot be decoded is not passed on.
    private static void WriteTime(ref WireWriter writer, int field, ReadOnlySpan<byte> message)
    {
        if (StoredSet.TryReadTime(message, out _, out _))
        {
            writer.WriteBytes(field, message);
        }
    }

    private static void WriteAge(ref WireWriter writer, TimeSpan age)
    {
        var seconds = (ulong)(age.Ticks / TimeSpan.TicksPerSecond);
        var nanos = (ulong)(age.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick);
        var size = (seconds == 0 ? 0 : 1 + WireWriter.VarintSize(seconds)) + (nanos == 0 ? 0 : 1 + WireWriter.VarintSize(nanos));
        writer.WriteHead(GetCandidatesResponse.AgeFieldNumber, size);
        writer.WriteNumber(Duration.SecondsFieldNumber, seconds);
        writer.WriteNumber(Duration.NanosFieldNumber, nanos);
    }
}
