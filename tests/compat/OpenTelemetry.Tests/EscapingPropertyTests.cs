using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Nearline.Compat.Telemetry.Tests;

/// <summary>Whatever text goes into labels and descriptions comes out of a parser unchanged.</summary>
public sealed class EscapingPropertyTests
{
    private static readonly string[] Awkward =
        ["\"", "\\", "\n", "\\n", "\r", "\t", "{", "}", ",", "=", "# EOF", "\n# EOF\n", " ", "\u00e9", "\U0001f600", "le=\"", "\0"];

    private static readonly Gen<string> Text = Gen.OneOf(
            Gen.Elements(Awkward),
            ArbMap.Default.GeneratorFor<string>().Select(s => s ?? ""))
        .ListOf()
        .Select(parts => WellFormed(string.Concat(parts)));

    /// <summary>Lone surrogates have no UTF-8 form: the replacement character is what a reader gets.</summary>
    private static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static async Task RoundTripAsync(string[] values, string description, bool openMetrics)
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync();
        var gauge = meter.CreateGauge<long>("g", null, description);
        var number = 0;
        foreach (var value in values.Distinct(StringComparer.Ordinal))
        {
            gauge.Record(number++, new KeyValuePair<string, object?>("v", value));
        }

        var parsed = Exposition.Parse(await app.TextAsync(openMetrics ? ScrapeApp.OpenMetrics : null), openMetrics);
        Assert.Equal(openMetrics, parsed.HasEnd);
        Assert.Equal(
            values.Distinct(StringComparer.Ordinal).Select((v, i) => (v, (double)i)),
            parsed.Samples.Select(s => (s.Labels.Single().Value, s.Value)).OrderBy(s => s.Item2));
        if (description.Length > 0)
        {
            Assert.Equal(description, parsed.Help["g"]);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Label_values_and_help_survive(bool openMetrics)
    {
        var cases = Text.NonEmptyListOf()
            .SelectMany(values => Text.Select(description => (Values: values.ToArray(), Description: description)));
        Prop.ForAll(cases.ToArbitrary(), c => RoundTripAsync(c.Values, c.Description, openMetrics).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    [Fact]
    public void Any_label_key_becomes_a_legal_name_and_no_value_is_lost()
    {
        var cases = Text.NonEmptyListOf().Select(keys => keys.Distinct(StringComparer.Ordinal).ToArray());
        Prop.ForAll(cases.ToArbitrary(), keys => KeysAsync(keys).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    private static async Task KeysAsync(string[] keys)
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync();
        meter.CreateGauge<long>("g").Record(
            1, [.. keys.Select((k, i) => new KeyValuePair<string, object?>(k, $"v{i}"))]);

        // The parser itself refuses illegal names.
        var labels = Exposition.Parse(await app.TextAsync(), openMetrics: false).Samples.Single().Labels;
        Assert.Equal(labels.Count, labels.Select(l => l.Name).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(
            Enumerable.Range(0, keys.Length).Select(i => $"v{i}").Order(StringComparer.Ordinal),
            labels.SelectMany(l => l.Value.Split(';')).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Numbers_read_back_as_they_were()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<double>(), value => NumberAsync(value).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    private static async Task NumberAsync(double value)
    {
        await using var app = new ScrapeApp();
        var meter = app.Meter();
        await app.StartAsync();
        meter.CreateGauge<double>("g").Record(value, new KeyValuePair<string, object?>("as_label", value));
        var sample = Exposition.Parse(await app.TextAsync(), openMetrics: false).Samples.Single();
        Assert.Equal(value, sample.Value);
        if (double.IsFinite(value))
        {
            var label = sample.Labels.Single().Value;
            Assert.Equal(value, double.Parse(label, System.Globalization.CultureInfo.InvariantCulture));
            Assert.Matches("^-?[0-9](\\.[0-9]+)?e[+-][0-9]{2,}$|^-?[0-9]+\\.[0-9]+$", label);
        }
    }
}
