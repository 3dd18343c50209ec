using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Graph;

/// <summary>
/// A trained content graph: the embeddings of its shows, and all that a show that came later needs to get one. Use it
/// from one thread at a time.
/// </summary>
public sealed class ContentGraph : IShowEmbedder, IDisposable
{
    /// <summary>The file of weights, states and embeddings.</summary>
    public const string TensorsFile = "graph.safetensors";

    /// <summary>The file of options, vocabulary and report.</summary>
    public const string DescriptionFile = "graph.json";

    private const int Format = 1;
    private const string EmbeddingsName = "embeddings";
    private const string StatesName = "states";
    private const string WeightPrefix = "sage.";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter() },
    };

    private readonly GraphSage network;
    private readonly float[] embeddings;
    private readonly float[] states;
    private readonly Tensor statesTensor;
    private readonly Dictionary<string, int> shows;
    private readonly Dictionary<(MetaNodeKind Kind, string Name), int> nodes = [];

    private ContentGraph(
        GraphOptions options, GraphVocabulary vocabulary, MetagraphReport report, GraphSage network, float[] embeddings, float[] states)
    {
        (Options, Vocabulary, Report) = (options, vocabulary, report);
        (this.network, this.embeddings, this.states) = (network, embeddings, states);
        statesTensor = tensor(states).view(-1, options.Hidden).DetachFromDisposeScope();
        shows = vocabulary.Shows.Index().ToDictionary(s => s.Item, s => s.Index, StringComparer.Ordinal);
        foreach (var kind in MetaNodes.Learned)
        {
            foreach (var name in vocabulary.Nodes[kind])
            {
                nodes.Add((kind, name), nodes.Count);
            }
        }
    }

    /// <summary>Its shape, and how it was trained.</summary>
    public GraphOptions Options { get; }

    /// <summary>What its rows mean.</summary>
    public GraphVocabulary Vocabulary { get; }

    /// <summary>The shape of the graph.</summary>
    public MetagraphReport Report { get; }

    /// <summary>The shows' embeddings of unit length, [shows, Width], row-major.</summary>
    public ReadOnlyMemory<float> Embeddings => embeddings;

    /// <summary>Reads a folder that <see cref="Write"/> wrote.</summary>
    /// <exception cref="InvalidDataException">A file is missing or not what it should be; it and the fault are named.</exception>
    public static ContentGraph Load(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        return Load(name => Path.Combine(directory, name));
    }

    /// <summary>Reads the files of <see cref="Write(Func{string, string})"/>.</summary>
    /// <inheritdoc cref="Load(string)"/>
    internal static ContentGraph Load(Func<string, string> pathOf)
    {
        var path = pathOf(DescriptionFile);
        var description = ReadDescription(path);
        var tensorsPath = pathOf(TensorsFile);
        if (!File.Exists(tensorsPath))
        {
            throw new InvalidDataException($"{tensorsPath}: there is no such file");
        }

        if (Checksums.OfFile(tensorsPath).Sha256 is var found && found != description.Sha256)
        {
            throw new InvalidDataException($"{tensorsPath}: sha256: expected {description.Sha256} as {DescriptionFile} says, found {found}");
        }

        var read = Network(description.Options, description.Vocabulary);
        try
        {
            using var file = SafeTensorsFile.Open(tensorsPath);
            ReadWeights(file, read);
            return new ContentGraph(
                description.Options,
                description.Vocabulary,
                description.Report,
                read,
                file.Read<float>(EmbeddingsName, description.Vocabulary.Shows.Count, description.Options.Width),
                file.Read<float>(StatesName, description.Vocabulary.NodeCount, description.Options.Hidden));
        }
        catch (SafeTensorsException e)
        {
            read.Dispose();
            throw new InvalidDataException(e.Message, e);
        }
        catch
        {
            read.Dispose();
            throw;
        }
    }

    /// <summary>The SHA-256 of what <see cref="Write"/> writes as <see cref="TensorsFile"/>.</summary>
    public string Fingerprint() => Checksums.Of(Bytes());

    /// <summary>Checks that a model can start its CG embeddings from the graph.</summary>
    /// <exception cref="ArgumentException">It has none, or of another width; the message says what to set.</exception>
    public void Check(M5Config config)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (!config.HasCgTable)
        {
            throw new ArgumentException(
                $"graph: {config.Name}, variant {config.Variant}, has no table of CG embeddings to start from it", nameof(config));
        }

        if (config.Width != Options.Width)
        {
            throw new ArgumentException(
                $"graph: its width is {Options.Width}, {config.Name}'s {config.Width}; train the graph with --set Width={config.Width}, or the model with --set Width={Options.Width}",
                nameof(config));
        }
    }

    /// <summary>Whether the graph had a show when it was trained.</summary>
    public bool Contains(string showId) => shows.ContainsKey(showId);

    /// <summary>
    /// The embeddings of shows, [shows, Width], row-major: those that the graph had by their row, others by
    /// <see cref="Embed"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The graph had none of them.</exception>
    public float[] EmbeddingsOf(IReadOnlyList<Show> catalog)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        if (!catalog.Any(s => Contains(s.Id)))
        {
            throw new ArgumentException(
                $"graph: none of its {shows.Count} shows is in the catalog of {catalog.Count}; it is another catalog's", nameof(catalog));
        }

        var width = Options.Width;
        var result = new float[catalog.Count * width];
        for (var i = 0; i < catalog.Count; i++)
        {
            var row = shows.TryGetValue(catalog[i].Id, out var place)
                ? embeddings.AsSpan(place * width, width)
                : Embed(catalog[i]);
            row.CopyTo(result.AsSpan(i * width));
        }

        return result;
    }

    /// <summary>
    /// Embeds a show by what the graph knows of it, with the trained weights: names that no show had are left out, and a
    /// show with none of the known ones gets what its category and vectors alone say.
    /// </summary>
    /// <param name="show">The show.</param>
    /// <param name="text">Its text vector by the encoder that the graph was trained with; none: no text node, but for hashed n-grams, which are computed.</param>
    /// <param name="visual">Its visual vector by the graph's encoder; none: no visual node.</param>
    /// <returns>Width numbers of unit length.</returns>
    /// <exception cref="ArgumentException">A vector is of another width than the graph's.</exception>
    public float[] Embed(Show show, float[]? text = null, float[]? visual = null)
    {
        ArgumentNullException.ThrowIfNull(show);
        var words = text is null && Vocabulary.HashedText && Vocabulary.TextWidth > 0
            ? HashedNGrams.Of(show)
            : Vector(nameof(text), text, Vocabulary.TextWidth);
        var picture = Vector(nameof(visual), visual, Vocabulary.VisualWidth);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var own = network.Shows(tensor([GraphSage.RowOf(show.Category)]));
        var (inputs, states) = (new List<Tensor>(), new List<Tensor>());
        if (KnownNodes(show) is { Length: > 0 } known)
        {
            using var rows = tensor(known);
            inputs.Add(network.Learned(rows));
            states.Add(statesTensor.index_select(0, rows));
        }

        foreach (var input in new[]
        {
            words is null ? null : network.Text(tensor(words).view(1, -1)),
            picture is null ? null : network.Visual(tensor(picture).view(1, -1)),
        }.OfType<Tensor>())
        {
            // The only neighbour of such a node is the show.
            inputs.Add(input);
            states.Add(Apply(network.First, input, own));
        }

        var state = Apply(network.First, own, Stack(inputs));
        return Apply(network.Second, state, Stack(states)).data<float>().ToArray();
    }

    /// <summary>Writes the graph into a folder, replacing one that is there; docs/content-graph.md has the files.</summary>
    public void Write(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        Directory.CreateDirectory(directory);
        Write(name => Path.Combine(directory, name));
    }

    /// <summary>Writes the same files among others.</summary>
    /// <param name="pathOf">Where a file is, by its name.</param>
    internal void Write(Func<string, string> pathOf)
    {
        var bytes = Bytes();
        DurableFiles.Replace(pathOf(TensorsFile), bytes);
        DurableFiles.Replace(
            pathOf(DescriptionFile),
            JsonSerializer.SerializeToUtf8Bytes(
                new Description(Format, Checksums.Of(bytes), Options, Report, Vocabulary), new JsonSerializerOptions(Json) { WriteIndented = true }));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        statesTensor.Dispose();
        network.Dispose();
    }

    internal static GraphSage Network(GraphOptions options, GraphVocabulary vocabulary) =>
        new(options, vocabulary.NodeCount, vocabulary.TextWidth, vocabulary.VisualWidth);

    /// <summary>Takes over a trained network, and moves it to the CPU.</summary>
    internal static ContentGraph Of(Metagraph graph, GraphOptions options, GraphSage network, GraphTensors tensors)
    {
        float[] rows, layer;
        using (inference_mode())
        using (NewDisposeScope())
        {
            var (all, last) = tensors.EmbedAll(network);
            var vocabulary = GraphVocabulary.Of(graph);
            rows = last.cpu().contiguous().data<float>().ToArray();
            layer = all.narrow(0, 0, vocabulary.NodeCount).cpu().contiguous().data<float>().ToArray();
        }

        network.to(CPU);
        return new ContentGraph(options, GraphVocabulary.Of(graph), MetagraphReport.Of(graph), network, rows, layer);
    }

    int IShowEmbedder.Width => Options.Width;

    /// <summary>A show of the graph by its row, another by <see cref="Embed"/>; null when no name of it and no word is known.</summary>
    float[]? IShowEmbedder.Embed(Show show)
    {
        if (shows.TryGetValue(show.Id, out var row))
        {
            return embeddings.AsSpan(row * Options.Width, Options.Width).ToArray();
        }

        return KnownNodes(show).Length > 0 || HasHashedText(show) ? Embed(show) : null;
    }

    private bool HasHashedText(Show show) => Vocabulary.HashedText && Vocabulary.TextWidth > 0 && HashedNGrams.Of(show) is not null;

    private static Tensor? Stack(List<Tensor> parts) =>
        parts.Count == 0 ? null : cat(parts, 0);

    /// <summary>One node through a layer; null: without neighbours.</summary>
    private static Tensor Apply(SageLayer layer, Tensor own, Tensor? neighbours)
    {
        var count = neighbours?.shape[0] ?? 0;
        return layer.Forward(
            own,
            layer.Offer(neighbours ?? own),
            count > 0 ? arange(count) : zeros(1, dtype: ScalarType.Int64),
            count > 0 ? ones(1, count) : zeros(1, 1));
    }

    private static float[]? Vector(string name, float[]? vector, int width)
    {
        if (vector is null)
        {
            return null;
        }

        if (vector.Length != width)
        {
            throw new ArgumentException($"{name}: {vector.Length} numbers; the graph was trained with {(width == 0 ? "none" : width)}", name);
        }

        var copy = (float[])vector.Clone();
        return NodeVectors.ToUnitLength(copy) ? copy : null;
    }

    private static Description ReadDescription(string path)
    {
        Description description;
        try
        {
            description = JsonSerializer.Deserialize<Description>(File.ReadAllBytes(path), Json) ?? throw new InvalidDataException($"{path}: empty");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidDataException($"{path}: there is no such file; name a folder that `nearline graph` wrote", e);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: cannot be read: {e.Message}", e);
        }

        if (description.Format != Format)
        {
            throw new InvalidDataException($"{path}: format: expected {Format}, found {description.Format}; train the graph anew");
        }

        try
        {
            description.Options.Validate();
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"{path}: options: {e.Message}", e);
        }

        foreach (var kind in MetaNodes.Learned.Where(k => description.Vocabulary.Nodes.GetValueOrDefault(k) is null))
        {
            throw new InvalidDataException($"{path}: vocabulary.nodes: no list of {kind}");
        }

        foreach (var kind in description.Vocabulary.Nodes.Keys.Except(MetaNodes.Learned))
        {
            throw new InvalidDataException($"{path}: vocabulary.nodes: a list of {kind}, whose nodes have no names");
        }

        var names = description.Vocabulary.Nodes.Select(n => (What: $"nodes.{n.Key}", Names: n.Value))
            .Append(("shows", description.Vocabulary.Shows));
        foreach (var (what, list) in names)
        {
            var known = new HashSet<string>(StringComparer.Ordinal);
            if (list.FirstOrDefault(n => !known.Add(n)) is { } twice)
            {
                throw new InvalidDataException($"{path}: vocabulary.{what}: '{twice}': given twice");
            }
        }

        return description;
    }

    private static void ReadWeights(SafeTensorsFile file, GraphSage network)
    {
        using var gradient = no_grad();
        using var scope = NewDisposeScope();
        var parameters = network.named_parameters().ToArray();
        var names = parameters.Select(p => WeightPrefix + p.name).Append(EmbeddingsName).Append(StatesName).ToHashSet(StringComparer.Ordinal);
        if (file.Tensors.FirstOrDefault(t => !names.Contains(t.Name)) is { } unknown)
        {
            throw new InvalidDataException($"{file.Path}: tensor '{unknown.Name}': the graph of {DescriptionFile} has none of that name");
        }

        foreach (var (name, parameter) in parameters)
        {
            parameter.copy_(tensor(file.Read<float>(WeightPrefix + name, parameter.shape)).view(parameter.shape));
        }
    }

    private long[] KnownNodes(Show show)
    {
        var rows = new List<long>();
        foreach (var kind in MetaNodes.Learned)
        {
            foreach (var name in MetaNodes.NamesOf(show, kind))
            {
                if (nodes.TryGetValue((kind, name), out var row))
                {
                    rows.Add(row);
                }
            }
        }

        return [.. rows];
    }

    private byte[] Bytes()
    {
        using var scope = NewDisposeScope();
        using var stream = new MemoryStream();
        SafeTensorsFile.Write(
            stream,
            [
                .. network.named_parameters().Select(p => TensorData.Of<float>(
                    WeightPrefix + p.name, p.parameter.detach().cpu().contiguous().data<float>().ToArray(), p.parameter.shape)),
                TensorData.Of<float>(EmbeddingsName, embeddings, Vocabulary.Shows.Count, Options.Width),
                TensorData.Of<float>(StatesName, states, Vocabulary.NodeCount, Options.Hidden),
            ]);
        return stream.ToArray();
    }

    private sealed record Description(int Format, string Sha256, GraphOptions Options, MetagraphReport Report, GraphVocabulary Vocabulary);
}
