using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Nearline.Cli.Comparing;

/// <summary>One model with one seed.</summary>
/// <param name="Model">The entry.</param>
/// <param name="Seed">The seed; null where it makes no difference.</param>
/// <param name="Name">Names the result's file: what can be read, and a hash of all that decides the result.</param>
internal sealed record ComparisonRun(ComparedModel Model, int? Seed, string Name)
{
    // Raise it when a result's file gets other content: older ones are then made anew.
    private const int Format = 1;

    /// <summary>The run as messages call it.</summary>
    public string Title => Seed is { } seed ? string.Create(CultureInfo.InvariantCulture, $"{Model.Label}, seed {seed}") : Model.Label;

    /// <summary>The runs of entries, those that cost least first, then seed by seed.</summary>
    /// <param name="models">The entries.</param>
    /// <param name="seeds">Seeds of those that name none.</param>
    /// <param name="settings">What the runs share.</param>
    /// <param name="fingerprint">Of the data.</param>
    public static IReadOnlyList<ComparisonRun> Of(
        IReadOnlyList<ComparedModel> models, IReadOnlyList<int> seeds, ComparisonSettings settings, string fingerprint)
    {
        var runs = models.SelectMany(model => model.IsSeeded
            ? (model.Seeds ?? seeds).Select((seed, place) => (Place: place + 1, Run: Of(model, seed, settings, fingerprint)))
            : [(Place: 0, Run: Of(model, null, settings, fingerprint))]);
        return [.. runs.OrderBy(r => r.Place).Select(r => r.Run)];
    }

    private static ComparisonRun Of(ComparedModel model, int? seed, ComparisonSettings settings, string fingerprint)
    {
        var decides = string.Join(
            '\n',
            $"format {Format}",
            model.Canonical(seed ?? 0, settings.Threads, settings.Device),
            fingerprint,
            settings.Protocol,
            settings.UnfilteredToo);
        if (model.UsesGraph)
        {
            decides += $"\ngraph {settings.Graph?.Fingerprint}";
        }

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(decides)))[..12];
        return new ComparisonRun(model, seed, string.Join(
            '-', new[] { model.Source, model.Variant, seed is { } s ? $"s{s}" : null, hash }.OfType<string>()));
    }
}
