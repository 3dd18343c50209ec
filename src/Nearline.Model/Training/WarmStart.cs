using Nearline.Model.Bundles;
using Nearline.Model.Features;
using Nearline.Model.Graph;
using Nearline.Model.Serving;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Training;

/// <summary>
/// The weights of an earlier bundle for a new model to begin with. What both know keeps its weights, by its name and
/// not by its place: shows, tags, attribute values, devices, scenarios, fields. The rest begins as docs/model.md says.
/// </summary>
public sealed class WarmStart
{
    private const string CgTable = "embedding.cg.weight";
    private const string IdTable = "embedding.id.weight";
    private readonly M5Config config;
    private readonly FeatureSchema schema;
    private readonly string weights;

    private WarmStart(string version, M5Config config, FeatureSchema schema, string weights)
    {
        Version = version;
        this.config = config;
        this.schema = schema;
        this.weights = weights;
    }

    /// <summary>The bundle's version.</summary>
    public string Version { get; }

    /// <summary>Opens a bundle to begin with.</summary>
    /// <exception cref="BundleException">It is broken, or not of M5.</exception>
    public static WarmStart Of(BundleDirectory bundle)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        var (config, schema, weights) = M5Bundle.Parts(bundle);
        return new WarmStart(bundle.Version, config, schema, weights);
    }

    /// <summary>Puts the weights into a fresh model, on any device.</summary>
    /// <exception cref="ArgumentException">Nothing of the bundle fits the model.</exception>
    internal WarmStartReport Apply(M5Model model, FeatureSchema target)
    {
        using var gradient = no_grad();
        using var scope = NewDisposeScope();
        using var file = SafeTensorsFile.Open(weights);
        var old = new ParameterMeanings(schema, config, schema);
        var sources = file.Tensors.Select(t => (Tensor: t, Meaning: old.Of(t.Name))).ToDictionary(t => t.Meaning.Name, StringComparer.Ordinal);
        var meanings = new ParameterMeanings(target, model.Config, schema);
        var (kept, afresh) = (0, new List<string>());
        foreach (var (name, parameter) in model.named_parameters())
        {
            var meaning = meanings.Of(name);
            if (sources.TryGetValue(meaning.Name, out var source) &&
                Carry(parameter, meaning, file.Read<float>(source.Tensor.Name), source.Tensor.Shape, source.Meaning))
            {
                kept++;
            }
            else
            {
                afresh.Add(meaning.Name);
            }
        }

        if (kept == 0)
        {
            throw new ArgumentException($"warm start: nothing of bundle {Version} fits this model; begin without it", nameof(model));
        }

        var known = schema.Shows.Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
        var fresh = Enumerable.Range(0, target.Shows.Count).Where(i => !known.Contains(target.Shows[i].Id)).ToArray();
        var common = target.Shows.Count - fresh.Length;
        return new WarmStartReport(Version, kept, afresh, common, fresh.Length);
    }

    /// <summary>Copies what both know; whether there was anything.</summary>
    private static bool Carry(
        Parameter parameter, ParameterMeaning meaning, float[] source, IReadOnlyList<long> shape, ParameterMeaning sourceMeaning)
    {
        var target = parameter.shape;
        if (target.Length != shape.Count || target.Length > 2 ||
            Places(meaning.Rows, target[0], sourceMeaning.Rows, shape[0]) is not { } rows ||
            Places(meaning.Columns, target.Length == 2 ? target[1] : 1, sourceMeaning.Columns, shape.Count == 2 ? shape[1] : 1) is not { } columns)
        {
            return false;
        }

        var values = parameter.detach().cpu().contiguous().data<float>().ToArray();
        var (from, to) = (source.Length / (int)shape[0], columns.Length);
        if (parameter.shape.Length == 2 && meaning.Name == CgTable)
        {
            Align(values, source, rows, to);
        }

        for (var r = 0; r < rows.Length; r++)
        {
            var row = rows[r] >= 0 ? rows[r] : meaning.Name == IdTable ? FeatureSchema.UnknownShowRow : -1;
            for (var c = 0; row >= 0 && c < to; c++)
            {
                // An input that the old model did not have is not listened to at first.
                values[(r * to) + c] = columns[c] >= 0 ? source[(row * from) + columns[c]] : 0;
            }
        }

        parameter.copy_(tensor(values).view(target));
        return true;
    }

    /// <summary>
    /// For each place of an axis its place in the source, -1 where the source has none; null where they cannot be compared
    /// or have nothing in common.
    /// </summary>
    private static int[]? Places(IReadOnlyList<string>? names, long size, IReadOnlyList<string>? sourceNames, long sourceSize)
    {
        if (names is null || sourceNames is null)
        {
            return names is null && sourceNames is null && size == sourceSize ? [.. Enumerable.Range(0, (int)size)] : null;
        }

        if (names.Count != size || sourceNames.Count != sourceSize)
        {
            return null;
        }

        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < sourceNames.Count; i++)
        {
            places.TryAdd(sourceNames[i], i);
        }

        int[] found = [.. names.Select(n => places.GetValueOrDefault(n, -1))];
        return Array.Exists(found, p => p >= 0) ? found : null;
    }

    /// <summary>
    /// Content embeddings of two catalogs are of two bases, and training moved the old ones. The linear map from the new
    /// content rows of the shows that both know to their old rows, by ridge regression, brings the new shows among them.
    /// </summary>
    private static void Align(float[] values, float[] source, int[] rows, int width)
    {
        int[] common = [.. Enumerable.Range(FeatureSchema.FirstShowRow, rows.Length - FeatureSchema.FirstShowRow).Where(r => rows[r] >= 0)];
        if (common.Length == 0 || common.Length == rows.Length - FeatureSchema.FirstShowRow)
        {
            return;
        }

        using var scope = NewDisposeScope();
        var all = tensor(values).view(rows.Length, width);
        var content = all.index_select(0, tensor(common.Select(r => (long)r).ToArray()));
        var trained = tensor(source).view(-1, width).index_select(0, tensor(common.Select(r => (long)rows[r]).ToArray()));
        var map = ContentAlignment.Map(content, trained);
        var brought = all.to(ScalarType.Float64).matmul(map).to(ScalarType.Float32).data<float>().ToArray();
        brought.AsSpan(FeatureSchema.FirstShowRow * width).CopyTo(values.AsSpan(FeatureSchema.FirstShowRow * width));
    }
}

/// <summary>What a warm start carried over.</summary>
/// <param name="Version">The bundle.</param>
/// <param name="Kept">Parameters with weights of the bundle, in whole or in part.</param>
/// <param name="Afresh">The others, which begin at random.</param>
/// <param name="KnownShows">Shows that keep their rows.</param>
/// <param name="NewShows">Shows that the bundle does not know.</param>
public sealed record WarmStartReport(string Version, int Kept, IReadOnlyList<string> Afresh, int KnownShows, int NewShows)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"warm start from {Version}: {KnownShows} shows known, {NewShows} new; {Kept} of {Kept + Afresh.Count} parameters carried over" +
        (Afresh.Count == 0 ? "" : $", afresh: {string.Join(", ", Afresh)}");
}
