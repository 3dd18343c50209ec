using Nearline.Model.Data;
using Nearline.Model.Features;
using Nearline.Model.Graph;
using Nearline.Model.Serving;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Training;

/// <summary>A model with all that a bundle needs.</summary>
public sealed class TrainedModel : IDisposable
{
    internal TrainedModel(
        M5Model network,
        FeatureSchema schema,
        TrainingOptions? training,
        IReadOnlyList<Scenario> scenarios,
        IReadOnlyList<CatalogItem> items,
        string dataFingerprint)
    {
        Network = network;
        Schema = schema;
        Training = training;
        Scenarios = scenarios;
        Items = items;
        DataFingerprint = dataFingerprint;
    }

    /// <summary>The shape.</summary>
    public M5Config Config => Network.Config;

    /// <summary>What its inputs mean.</summary>
    public FeatureSchema Schema { get; }

    /// <summary>How it was trained; null when it was not.</summary>
    public TrainingOptions? Training { get; }

    /// <summary>The scenarios that it serves.</summary>
    public IReadOnlyList<Scenario> Scenarios { get; }

    /// <summary>The shows, in the order of the index's rows.</summary>
    public IReadOnlyList<CatalogItem> Items { get; }

    /// <summary>The fingerprint of the data that it learned from.</summary>
    public string DataFingerprint { get; }

    /// <summary>The reports of its epochs.</summary>
    public IReadOnlyList<TrainingProgress> Epochs { get; internal set; } = [];

    /// <summary>The epoch whose weights it has; 0 when untrained.</summary>
    public int BestEpoch { get; internal set; }

    internal M5Model Network { get; }

    /// <summary>What its CG table started from; null in a model without one.</summary>
    internal ContentStart? Content { get; private init; }

    /// <summary>
    /// A retriever over this model, the same as over its bundle. It shares the weights: use one or the other at a time,
    /// and dispose this after it.
    /// </summary>
    public IRetriever CreateRetriever() =>
        new M5Retriever("in-memory", Network, Schema, Scenarios, Items, Network.Device, ownsModel: false);

    /// <summary>
    /// A retriever that places shows that come later, as a bundle's does; otherwise like <see cref="CreateRetriever"/>.
    /// </summary>
    public M5Retriever CreateServingRetriever()
    {
        using var scope = NewDisposeScope();
        var content = Content is { } start ? InductiveContent.Fit(start, Network.ContentRows()) : null;
        return new M5Retriever("in-memory", Network, Schema, Scenarios, Items, Network.Device, ownsModel: false, content: content);
    }

    /// <inheritdoc/>
    public void Dispose() => Network.Dispose();

    /// <summary>Whether shows that come later can be found.</summary>
    public bool PlacesNewShows => Content is not null;

    /// <summary>The feature schema of a data set for models of a shape.</summary>
    internal static FeatureSchema SchemaOf(Dataset train, M5Config config) =>
        FeatureSchema.Build(train, config.MaxLength) with
        {
            Categorize = config.Categorize,
            Sequences = FeatureSchema.SequencesIn(train, config.Categorize),
            Metadata = config.HasRawMetadata ? RawMetadata.Of(train.Shows) : null,
        };

    /// <summary>
    /// A model with random weights but all else in place; its CG table starts from the content graph where one is given.
    /// </summary>
    internal static TrainedModel Fresh(
        Dataset train, M5Config config, TrainingOptions? options, int seed, string dataFingerprint, Device device, ContentGraph? graph = null)
    {
        config.Validate();
        graph?.Check(config);
        var schema = SchemaOf(train, config);
        var content = config.HasCgTable ? ContentStart.Of(train.Shows, config, graph, seed) : null;
        manual_seed(seed);
        var network = new M5Model(schema, config, content?.Rows);
        if (options?.CoWatchStart > 0)
        {
            network.StartIds(CoWatchEmbedding.Of(train, config.Width, seed), options.CoWatchStart);
        }

        network.MoveTo(device);
        return new TrainedModel(network, schema, options, train.Scenarios, CatalogItem.Of(train), dataFingerprint)
        {
            Content = content,
        };
    }
}
