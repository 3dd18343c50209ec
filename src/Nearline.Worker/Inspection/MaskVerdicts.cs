using System.Globalization;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Inspection.V1;
using Nearline.Model.Behaviours;
using Nearline.Model.Serving;
using ShowStanding = Nearline.Model.Serving.ShowStanding;

namespace Nearline.Worker.Inspection;

/// <summary>What each mask says of a show, with the values that decide.</summary>
internal static class MaskVerdicts
{
    public static IEnumerable<MaskVerdict> Of(
        ShowInspection inspection, ExplainShowRequest request, string modelVersion, UserHistory history)
    {
        yield return Known(inspection.Standing, modelVersion);
        if (inspection.Item is { } item)
        {
            yield return Verdict(
                ShowMask.InCatalog,
                !inspection.IsRemoved,
                inspection.IsRemoved ? "it was removed from the catalog" : "the catalog has not removed it");
            yield return Available(item, inspection.IsAvailable);
            yield return Pool(inspection, item, request.Scenario);
        }

        yield return Unwatched(inspection, request.ItemId, history);
        yield return Verdict(
            ShowMask.UserInScenario,
            inspection.IsUserServed,
            history.Scenarios.Count == 0 ? "the user is served in all scenarios" : $"the user is served in {string.Join(", ", history.Scenarios)}");
    }

    private static MaskVerdict Known(ShowStanding standing, string model) => standing switch
    {
        ShowStanding.Known => Verdict(ShowMask.Known, true, $"model {model} was trained with it"),
        ShowStanding.New => Verdict(ShowMask.Known, true, $"it came after model {model}, which knows it by its content alone"),
        ShowStanding.Unreachable => Verdict(
            ShowMask.Known, false, $"it came after model {model}, to which all of its content is new: it waits for the next model"),
        _ => Verdict(ShowMask.Known, false, $"neither model {model} nor the catalog has it"),
    };

    private static MaskVerdict Available(CatalogItem item, bool passes)
    {
        FormattableString detail = (item.AvailableFrom, item.AvailableUntil) switch
        {
            (null, null) => $"it is always available",
            ({ } from, null) => $"it is available from {from.UtcDateTime:u} on",
            (null, { } until) => $"it is available until {until.UtcDateTime:u}",
            ({ } from, { } until) => $"it is available from {from.UtcDateTime:u} until {until.UtcDateTime:u}",
        };
        return Verdict(ShowMask.Available, passes, Text(detail) + (passes ? "" : ", not now"));
    }

    private static MaskVerdict Pool(ShowInspection inspection, CatalogItem item, string scenario) => Verdict(
        ShowMask.Pool,
        inspection.IsInPool,
        inspection.Pool.Count == 0
            ? $"scenario '{scenario}' takes every category; it is {Name(item.Category)}"
            : $"scenario '{scenario}' takes {string.Join(", ", inspection.Pool.Select(Name))}; it is {Name(item.Category)}");

    private static MaskVerdict Unwatched(ShowInspection inspection, string showId, UserHistory history)
    {
        var watch = inspection.Behaviours.FirstOrDefault(b => b.Kind == BehaviourKind.Watch);
        FormattableString detail = (inspection.IsWatched, watch) switch
        {
            (true, null) => $"the user watched it long ago",
            (true, { PlayedSeconds: > 0 }) => $"the user watched it, {Played(watch)} in all, last on {watch.LastTime.UtcDateTime:u}",
            (true, _) => $"the user watched it, last on {watch.LastTime.UtcDateTime:u}",
            (false, null) => $"the user has not watched it",
            _ => $"the user played {Played(watch)} of it, less than the {ShowBehaviour.WatchedAfter.TotalMinutes:0} minutes that count",
        };
        return Verdict(ShowMask.Unwatched, !inspection.IsWatched, Text(detail));
    }

    private static string Played(ShowBehaviour watch) => Text(
        watch.PlayedSeconds < 120 ? $"{watch.PlayedSeconds:0} s" : (FormattableString)$"{watch.PlayedSeconds / 60:0} min");

    private static string Name(ShowCategory category) => category.ToString().ToLowerInvariant();

    private static MaskVerdict Verdict(ShowMask mask, bool passes, string detail) => new() { Mask = mask, Passes = passes, Detail = detail };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
