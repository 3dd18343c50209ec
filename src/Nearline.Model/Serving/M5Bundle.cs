using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Features;
using Nearline.Model.Graph;
using Nearline.Model.Index;
using Nearline.Model.Index.Hnsw;
using Nearline.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Serving;

/// <summary>What of M5 is in a bundle; docs/model.md has the layout.</summary>
public static class M5Bundle
{
    private const string WeightsFile = "weights.safetensors";
    private const string IndexFile = "index.safetensors";
    private const string VocabularyFile = "vocabulary.json";
    private const string ItemsFile = "items.json";
    private const string IndexTensor = "items";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Writes a trained model as a new bundle; does not activate it.</summary>
    /// <param name="model">The model.</param>
    /// <param name="modelsDirectory">The folder of bundles.</param>
    /// <param name="evaluation">Test metrics to record; null: none.</param>
    /// <param name="time">For the version and its time.</param>
    /// <param name="version">The version; null: a new one of now.</param>
    /// <param name="metrics">Further figures to record.</param>
    /// <param name="withGraph">Whether to write an HNSW graph of the index too, which takes minutes from a million shows on.</param>
    public static BundleDirectory Write(
        TrainedModel model,
        string modelsDirectory,
        EvaluationReport? evaluation = null,
        TimeProvider? time = null,
        string? version = null,
        IReadOnlyDictionary<string, double>? metrics = null,
        bool withGraph = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        time ??= TimeProvider.System;
        using var writer = new BundleWriter(modelsDirectory, version ?? BundleVersion.New(time));
        SafeTensorsFile.Write(writer.PathOf(WeightsFile), Weights(model.Network));
        var (rows, shape) = Index(model.Network);
        SafeTensorsFile.Write(writer.PathOf(IndexFile), [TensorData.Of<float>(IndexTensor, rows, shape)]);
        if (withGraph)
        {
            HnswIndex.Build(rows, model.Config.QueryWidth).Save(writer.PathOf(HnswFiles.Name));
        }

        File.WriteAllBytes(writer.PathOf(VocabularyFile), JsonSerializer.SerializeToUtf8Bytes(model.Schema, Json));
        File.WriteAllBytes(writer.PathOf(ItemsFile), JsonSerializer.SerializeToUtf8Bytes(model.Items, Json));
        if (model.Content is { } content)
        {
            using var scope = NewDisposeScope();
            InductiveContent.Fit(content, model.Network.ContentRows()).Write(writer.PathOf);
        }

        return writer.Commit(new BundleManifest
        {
            Version = writer.Version,
            CreatedAt = time.GetUtcNow(),
            Hyperparameters = JsonSerializer.SerializeToElement(
                new Hyperparameters(model.Config, model.Training), Json),
            Scenarios = model.Scenarios,
            ItemCount = model.Items.Count,
            Metrics = Metrics(model, evaluation, metrics),
            DataFingerprint = model.DataFingerprint,
        });
    }

    /// <summary>
    /// Writes a bundle with random weights, complete in all else, in about a second: for tests and for trying out a
    /// deployment. Its sets are valid, not good.
    /// </summary>
    public static BundleDirectory WriteUntrained(
        Dataset dataset, M5Config config, string modelsDirectory, int seed = 1, TimeProvider? time = null, string? version = null)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(config);
        TorchThreads.Use(null);
        using var model = TrainedModel.Fresh(dataset, config, null, seed, dataset.Fingerprint(), CPU);
        return Write(model, modelsDirectory, time: time, version: version);
    }

    /// <summary>A bundle's shape, what its inputs mean, and the file of its weights.</summary>
    /// <exception cref="BundleException">It is broken.</exception>
    internal static (M5Config Config, FeatureSchema Schema, string Weights) Parts(BundleDirectory bundle)
    {
        var (config, schema, _) = Describe(bundle);
        return (config, schema, bundle.PathOf(WeightsFile));
    }

    /// <summary>A bundle's shape, what its inputs mean, its shows, and the rows of its index.</summary>
    /// <exception cref="BundleException">It is broken.</exception>
    internal static (M5Config Config, FeatureSchema Schema, IReadOnlyList<CatalogItem> Items, float[] Rows) Rows(BundleDirectory bundle)
    {
        var (config, schema, items) = Describe(bundle);
        return (config, schema, items, Rows(bundle, config, items.Count));
    }

    /// <summary>Reads a bundle as a retriever on a device.</summary>
    internal static M5Retriever Read(BundleDirectory bundle, Device device, BackendOptions backend, ServingPrecision precision)
    {
        var (config, schema, items) = QuietThread.Run(() => Describe(bundle));

        // The model first: it tells best where the parts of a bundle do not fit one another.
        var network = QuietThread.Run(() => Network(bundle, schema, config, device));
        InductiveContent? content = null;
        try
        {
            (var matrix, content) = QuietThread.Run(() => (Rows(bundle, config, items.Count), InductiveContent.Read(bundle, config)));
            network.Freeze(precision.ToScalarType());
            return new M5Retriever(
                bundle.Version,
                network,
                schema,
                bundle.Manifest.Scenarios,
                items,
                device,
                ownsModel: true,
                Built(bundle, matrix, config.QueryWidth, device, backend),
                content);
        }
        catch
        {
            content?.Dispose();
            network.Dispose();
            throw;
        }
    }

    private static (IItemIndex Index, IndexInfo Info) Built(
        BundleDirectory bundle, float[] rows, int dimension, Device device, BackendOptions backend)
    {
        try
        {
            return IndexChoice.Build(
                rows, dimension, device, backend, HnswFiles.Of(bundle.Path, bundle.Manifest.Files.ContainsKey(HnswFiles.Name)));
        }
        catch (InvalidDataException e)
        {
            throw new BundleException(bundle.PathOf(HnswFiles.Name), e.Message, e);
        }
    }

    private static float[] Rows(BundleDirectory bundle, M5Config config, int count)
    {
        using var index = SafeTensorsFile.Open(bundle.PathOf(IndexFile));
        return index.Read<float>(IndexTensor, count, config.QueryWidth);
    }

    private static M5Model Network(BundleDirectory bundle, FeatureSchema schema, M5Config config, Device device)
    {
        var network = new M5Model(schema, config, null);
        try
        {
            ReadWeights(bundle.PathOf(WeightsFile), network);
            network.MoveTo(device);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static (M5Config Config, FeatureSchema Schema, List<CatalogItem> Items) Describe(BundleDirectory bundle)
    {
        var hyperparameters = Parse(
            () => bundle.Manifest.Hyperparameters.Deserialize<Hyperparameters>(Json),
            Path.Combine(bundle.Path, BundleManifest.FileName));
        var vocabulary = bundle.PathOf(VocabularyFile);
        var schema = Parse(
            () => JsonSerializer.Deserialize<FeatureSchema>(File.ReadAllBytes(vocabulary), Json), vocabulary);
        var itemsFile = bundle.PathOf(ItemsFile);
        var items = Parse(
            () => JsonSerializer.Deserialize<List<CatalogItem>>(File.ReadAllBytes(itemsFile), Json), itemsFile);
        Check(bundle, hyperparameters.Config, schema, items);
        return (hyperparameters.Config, schema, items);
    }

    private static T Parse<T>(Func<T?> read, string file)
        where T : class
    {
        try
        {
            return read() ?? throw new BundleException(file, "empty");
        }
        catch (JsonException e)
        {
            throw new BundleException(file, $"cannot be read: {e.Message}", e);
        }
    }

    private static void Check(BundleDirectory bundle, M5Config config, FeatureSchema schema, List<CatalogItem> items)
    {
        var manifest = Path.Combine(bundle.Path, BundleManifest.FileName);
        var vocabulary = bundle.PathOf(VocabularyFile);
        Validate(manifest, config.Validate);
        if (schema.Version != FeatureSchema.CurrentVersion)
        {
            throw new BundleException(
                vocabulary, $"version: expected {FeatureSchema.CurrentVersion}, found {schema.Version}; train the model anew");
        }

        if (schema.MaxLength != config.MaxLength)
        {
            throw new BundleException(vocabulary, $"max_length: expected {config.MaxLength} as the manifest says, found {schema.MaxLength}");
        }

        if (schema.Categorize != config.Categorize)
        {
            throw new BundleException(vocabulary, $"categorize: expected {config.Categorize} as the manifest says, found {schema.Categorize}");
        }

        if (config.HasRawMetadata)
        {
            var metadata = schema.Metadata
                ?? throw new BundleException(vocabulary, "metadata: missing; the manifest says that the CG channel embeds raw metadata");
            Validate(vocabulary, () => metadata.ToList().ForEach(f => f.Validate(schema.Shows.Count)));
        }

        if (!schema.Scenarios.SequenceEqual(bundle.Manifest.Scenarios.Select(s => s.Id), StringComparer.Ordinal))
        {
            throw new BundleException(vocabulary, "scenarios: not those of the manifest");
        }

        var itemsFile = bundle.PathOf(ItemsFile);
        if (bundle.Manifest.ItemCount != items.Count)
        {
            throw new BundleException(
                itemsFile, $"expected {bundle.Manifest.ItemCount} items as the manifest says, found {items.Count}");
        }

        if (!schema.Shows.Select(s => s.Id).SequenceEqual(items.Select(i => i.Id), StringComparer.Ordinal))
        {
            throw new BundleException(itemsFile, "ids: not the shows of the vocabulary in its order");
        }

        if (items.Find(i => i.ScenarioWatchers.Count != schema.Scenarios.Count) is { } item)
        {
            throw new BundleException(
                itemsFile,
                $"scenario_watchers of '{item.Id}': expected {schema.Scenarios.Count}, one a scenario, found {item.ScenarioWatchers.Count}");
        }
    }

    private static void Validate(string file, Action check)
    {
        try
        {
            check();
        }
        catch (ArgumentException e)
        {
            throw new BundleException(file, e.Message, e);
        }
    }

    private static List<TensorData> Weights(M5Model network)
    {
        using var scope = NewDisposeScope();
        return
        [
            .. network.named_parameters().Select(p => TensorData.Of<float>(
                p.name, p.parameter.detach().cpu().contiguous().data<float>().ToArray(), p.parameter.shape)),
        ];
    }

    private static (float[] Rows, long[] Shape) Index(M5Model network)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var items = network.Items().cpu();
        return (items.data<float>().ToArray(), items.shape);
    }

    private static void ReadWeights(string path, M5Model network)
    {
        using var gradient = no_grad();
        using var scope = NewDisposeScope();
        using var file = SafeTensorsFile.Open(path);
        var parameters = network.named_parameters().ToArray();
        var names = parameters.Select(p => p.name).ToHashSet(StringComparer.Ordinal);
        if (file.Tensors.FirstOrDefault(t => !names.Contains(t.Name)) is { } unknown)
        {
            throw new BundleException(path, $"tensor '{unknown.Name}': the model of the manifest's hyper-parameters has none of that name");
        }

        foreach (var (name, parameter) in parameters)
        {
            parameter.copy_(tensor(file.Read<float>(name, parameter.shape)).view(parameter.shape));
        }
    }

    private static Dictionary<string, double> Metrics(
        TrainedModel model, EvaluationReport? evaluation, IReadOnlyDictionary<string, double>? further)
    {
        var metrics = new Dictionary<string, double>(StringComparer.Ordinal);
        if (model.Epochs.FirstOrDefault(e => e.Epoch == model.BestEpoch)?.Validation is { } validation)
        {
            metrics["validation_hr20"] = validation.Hr20;
            metrics["validation_hr100"] = validation.Hr100;
            metrics["validation_ndcg10"] = validation.Ndcg10;
        }

        if (evaluation is not null)
        {
            metrics["hr20"] = evaluation.Average.Hr20;
            metrics["hr100"] = evaluation.Average.Hr100;
            metrics["ndcg10"] = evaluation.Average.Ndcg10;
        }

        foreach (var (name, value) in further ?? new Dictionary<string, double>())
        {
            metrics[name] = value;
        }

        return metrics;
    }

    private sealed record Hyperparameters(M5Config Config, TrainingOptions? Training);
}
