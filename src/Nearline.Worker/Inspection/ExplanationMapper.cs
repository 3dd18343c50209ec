using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Inspection.V1;
using Nearline.Model.Behaviours;
using Nearline.Model.Serving;
using ShowStanding = Nearline.Contracts.Candidates.V1.ShowStanding;

namespace Nearline.Worker.Inspection;

/// <summary>From what the model said of a show to the message.</summary>
internal static class ExplanationMapper
{
    public static ShowExplanation Of(
        ShowInspection inspection, ExplainShowRequest request, string modelVersion, UserHistory history, DateTimeOffset now)
    {
        var explanation = new ShowExplanation
        {
            ModelVersion = modelVersion,
            ExplainedFor = Timestamp.FromDateTimeOffset(now),
            Standing = inspection.Standing switch
            {
                Model.Serving.ShowStanding.Known => ShowStanding.Known,
                Model.Serving.ShowStanding.New => ShowStanding.New,
                Model.Serving.ShowStanding.Unreachable => ShowStanding.Unreachable,
                _ => ShowStanding.Unknown,
            },
            Rank = inspection.Place + 1 ?? 0,
            SetCount = inspection.Set.Count,
            SetLastScore = inspection.Set.Count > 0 ? inspection.Set[^1].Score : 0,
            RankAmongAll = inspection.Before + 1 ?? 0,
            ServableCount = inspection.Servable,
        };
        if (inspection.Scores is { } scores)
        {
            explanation.Scores = new ShowScores
            {
                Score = scores.Score,
                IdScore = scores.IdScore,
                CgScore = scores.CgScore,
                Weight = scores.Weight,
                FId = scores.IdProduct,
                FCg = scores.CgProduct,
                SetScore = inspection.Place is { } place ? inspection.Set[place].Score : 0,
            };
        }

        explanation.Masks.Add(MaskVerdicts.Of(inspection, request, modelVersion, history));
        explanation.NearestById.Add(inspection.NearestById.Select(ToMessage));
        explanation.NearestByContent.Add(inspection.NearestByContent.Select(ToMessage));
        explanation.Behaviours.Add(inspection.Behaviours.Select(ToMessage));
        return explanation;
    }

    private static HistoryNeighbour ToMessage(PastShow show) =>
        new() { ItemId = show.ShowId, Cosine = show.Cosine, Behaviours = { show.Behaviours.Select(ToMessage) } };

    private static PastBehaviour ToMessage(ShowBehaviour behaviour)
    {
        var isWatch = behaviour.Kind == BehaviourKind.Watch;
        return new PastBehaviour
        {
            Kind = behaviour.Kind switch
            {
                BehaviourKind.Watch => PastBehaviourKind.Watch,
                BehaviourKind.Save => PastBehaviourKind.Save,
                BehaviourKind.Like => PastBehaviourKind.Like,
                BehaviourKind.Dislike => PastBehaviourKind.Dislike,
                _ => PastBehaviourKind.Unspecified,
            },
            Time = Timestamp.FromDateTimeOffset(behaviour.LastTime),
            Episodes = isWatch ? behaviour.Episodes : 0,
            Played = isWatch && behaviour.PlayedSeconds > 0 ? Duration.FromTimeSpan(TimeSpan.FromSeconds(behaviour.PlayedSeconds)) : null,
        };
    }
}
