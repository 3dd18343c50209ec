using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace Nearline.Model.Training.Runs;

/// <summary>Draws a run: losses above, HR@20 on the validation targets below, both over epochs.</summary>
internal static class CurvesSvg
{
    private const double Width = 760;
    private const double PanelHeight = 300;
    private const double Left = 70;
    private const double Right = 190;
    private const double Top = 40;
    private const double Bottom = 50;

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    // Okabe and Ito's colours, which colour-blind readers can tell apart.
    private static readonly string[] Colours =
        ["#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31"];

    /// <summary>The picture as the bytes of an SVG file.</summary>
    public static byte[] Draw(IReadOnlyList<TrainingProgress> epochs)
    {
        var scenarios = epochs.SelectMany(e => e.Scenarios).Select(s => s.Scenario).Distinct(StringComparer.Ordinal);
        Curve[] losses =
        [
            Curve.Of("total", epochs, e => e.Loss),
            Curve.Of("match", epochs, e => e.Match),
            Curve.Of("MLM", epochs, e => e.Mlm),
            Curve.Of("disagreement", epochs, e => e.Disagreement),
        ];
        Curve[] hits =
        [
            Curve.Of("average", epochs, e => e.Validation?.Hr20),
            .. scenarios.Select(name => Curve.Of(name, epochs, e => e.Scenarios.FirstOrDefault(s => s.Scenario == name)?.Hr20)),
        ];
        var last = Math.Max(1, epochs.Count == 0 ? 1 : epochs[^1].Epoch);
        var best = epochs.LastOrDefault(e => e.IsBest)?.Epoch;
        var picture = new XElement(
            Svg + "svg",
            new XAttribute("width", Number(Width)),
            new XAttribute("height", Number(2 * PanelHeight)),
            new XAttribute("viewBox", $"0 0 {Number(Width)} {Number(2 * PanelHeight)}"),
            new XAttribute("font-family", "sans-serif"),
            new XAttribute("font-size", "12"),
            new XAttribute("role", "img"),
            new XElement(Svg + "title", "Training curves"),
            new XElement(Svg + "rect", new XAttribute("width", "100%"), new XAttribute("height", "100%"), new XAttribute("fill", "#ffffff")),
            Panel("Training losses", "loss", 0, losses, last, best),
            Panel("Validation", "HR@20", PanelHeight, hits, last, best));
        using var stream = new MemoryStream();
        using (var writer = new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true))
        {
            new XDocument(new XDeclaration("1.0", "utf-8", null), picture).Save(writer);
        }

        return stream.ToArray();
    }

    private static XElement Panel(string title, string unit, double y, IReadOnlyList<Curve> curves, int lastEpoch, int? best)
    {
        var values = curves.SelectMany(c => c.Points).Select(p => p.Value).ToList();
        var axis = Axis.Over(values.Count == 0 ? 0 : Math.Min(0, values.Min()), values.Count == 0 ? 1 : values.Max());
        double X(double epoch) => Left + ((Width - Left - Right) * (lastEpoch == 1 ? 0.5 : (epoch - 1) / (lastEpoch - 1)));
        double Y(double value) => PanelHeight - Bottom - ((PanelHeight - Top - Bottom) * (value - axis.From) / (axis.To - axis.From));
        var (right, floor) = (Width - Right, PanelHeight - Bottom);
        var panel = new XElement(
            Svg + "g",
            new XAttribute("transform", $"translate(0 {Number(y)})"),
            Text(title, Left, Top - 16, "start", new XAttribute("font-weight", "bold")),
            Text("epoch", (Left + right) / 2, PanelHeight - 12, "middle"),
            Text(unit, 16, (Top + floor) / 2, "middle", new XAttribute("transform", $"rotate(-90 16 {Number((Top + floor) / 2)})")));
        foreach (var tick in axis.Ticks)
        {
            panel.Add(Line(Left, Y(tick), right, Y(tick), "#dddddd"), Text(axis.Label(tick), Left - 8, Y(tick) + 4, "end"));
        }

        var every = Math.Max(1, (int)Math.Ceiling(lastEpoch / 12.0));
        for (var epoch = 1; epoch <= lastEpoch; epoch += every)
        {
            panel.Add(
                Line(X(epoch), floor, X(epoch), floor + 4, "#555555"),
                Text(epoch.ToString(CultureInfo.InvariantCulture), X(epoch), floor + 18, "middle"));
        }

        panel.Add(Line(Left, Top, Left, floor, "#555555"), Line(Left, floor, right, floor, "#555555"));
        if (best is { } kept)
        {
            panel.Add(
                Line(X(kept), Top, X(kept), floor, "#888888", new XAttribute("stroke-dasharray", "4 3")),
                Text("kept", X(kept), Top - 4, "middle", new XAttribute("fill", "#666666")));
        }

        for (var i = 0; i < curves.Count; i++)
        {
            var colour = Colours[i % Colours.Length];
            panel.Add(
                new XElement(
                    Svg + "polyline",
                    new XAttribute("points", string.Join(' ', curves[i].Points.Select(p => $"{Number(X(p.Epoch))},{Number(Y(p.Value))}"))),
                    new XAttribute("fill", "none"),
                    new XAttribute("stroke", colour),
                    new XAttribute("stroke-width", i == 0 ? "2.5" : "1.5")),
                curves[i].Points.Select(p => new XElement(
                    Svg + "circle",
                    new XAttribute("cx", Number(X(p.Epoch))),
                    new XAttribute("cy", Number(Y(p.Value))),
                    new XAttribute("r", "2.5"),
                    new XAttribute("fill", colour))),
                Line(right + 14, Top + 8 + (18 * i), right + 34, Top + 8 + (18 * i), colour, new XAttribute("stroke-width", "2.5")),
                Text(curves[i].Legend, right + 40, Top + 12 + (18 * i), "start"));
        }

        return panel;
    }

    private static XElement Line(double x1, double y1, double x2, double y2, string colour, params object[] more) => new(
        Svg + "line",
        new XAttribute("x1", Number(x1)),
        new XAttribute("y1", Number(y1)),
        new XAttribute("x2", Number(x2)),
        new XAttribute("y2", Number(y2)),
        new XAttribute("stroke", colour),
        more);

    private static XElement Text(string text, double x, double y, string anchor, params object[] more) => new(
        Svg + "text", new XAttribute("x", Number(x)), new XAttribute("y", Number(y)), new XAttribute("text-anchor", anchor), more, text);

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>A named series; points that are no numbers are left out, since they have no place.</summary>
    private sealed record Curve(string Name, IReadOnlyList<(int Epoch, double Value)> Points)
    {
        public string Legend => Points.Count == 0
            ? Name
            : string.Create(CultureInfo.InvariantCulture, $"{Name} {Points[^1].Value:0.####}");

        public static Curve Of(string name, IReadOnlyList<TrainingProgress> epochs, Func<TrainingProgress, double?> value) => new(
            Clean(name),
            [.. epochs.Select(e => (e.Epoch, Value: value(e) ?? double.NaN)).Where(p => double.IsFinite(p.Value))]);

        /// <summary>XML has no place for control characters, not even escaped.</summary>
        private static string Clean(string name) => string.Concat(name.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
    }

    /// <summary>A scale with round ticks.</summary>
    private sealed record Axis(double From, double To, double Step)
    {
        public IEnumerable<double> Ticks =>
            Enumerable.Range(0, (int)Math.Round((To - From) / Step) + 1).Select(i => From + (i * Step));

        public static Axis Over(double low, double high)
        {
            var span = high > low ? high - low : Math.Max(1, Math.Abs(high));
            var rough = span / 5;
            var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
            var step = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
            var from = Math.Floor(low / step) * step;
            return new Axis(from, from + (step * Math.Max(1, Math.Ceiling((high - from) / step))), step);
        }

        public string Label(double tick) => tick.ToString(Step >= 1 ? "0" : Step >= 0.1 ? "0.0" : Step >= 0.01 ? "0.00" : "0.0000", CultureInfo.InvariantCulture);
    }
}
