using System.Globalization;
using Nearline.Model.Graph;

namespace Nearline.Cli.Modelling;

/// <summary>The shape of a content graph in lines.</summary>
internal static class GraphReportLines
{
    public static IEnumerable<string> Of(MetagraphReport report)
    {
        yield return Line($"metagraph: {report.Shows:N0} shows, {report.MetaNodes:N0} meta nodes, {report.Edges:N0} edges");
        yield return Line($"  {"kind",-10}{"nodes",10}{"edges",12}{"of one show",14}{"largest",10}");
        foreach (var kind in report.Kinds.Where(k => k.Nodes > 0))
        {
            yield return Line(
                $"  {NameOf(kind.Kind),-10}{kind.Nodes,10:N0}{kind.Edges,12:N0}{kind.OfOneShow,14:N0}{kind.Largest,10:N0}");
        }

        yield return Line($"  isolated: {report.IsolatedShows:N0} shows share no tag, person, director or brand with another");
        yield return $"  shows by edges: {Histogram(report.ShowDegrees)}";
        yield return $"  tags to eras by edges: {Histogram(report.NodeDegrees)}";
    }

    private static string Histogram(IEnumerable<DegreeCount> bars) => string.Join(
        ", ", bars.Select(b => b.From == b.To ? Line($"{b.From}: {b.Nodes:N0}") : Line($"{b.From}-{b.To}: {b.Nodes:N0}")));

    private static string NameOf(MetaNodeKind kind) => kind.ToString().ToLowerInvariant();

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
