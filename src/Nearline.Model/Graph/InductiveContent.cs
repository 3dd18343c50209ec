using System.Text.Encodings.Web;
using System.Text.Json;
using Nearline.Model.Bundles;
using Nearline.Model.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Graph;

/// <summary>
/// Places a show that a model was not trained with among its CG embeddings: what the CG table started from, and the map
/// from there to where training took it. Use it from one thread at a time.
/// </summary>
internal sealed class InductiveContent : IDisposable
{
    private const string TensorsFile = "content.safetensors";
    private const string NodesFile = "content.json";
    private const string BasisTensor = "basis";
    private const string RarityTensor = "rarity";
    private const string MapTensor = "map";
    private const string KnownTensor = "known";
    private const string KnownRowsTensor = "known_rows";

    /// <summary>Enough to tell a show's place to within a few in ten thousand.</summary>
    private const int MaxKnown = 4096;

    private static readonly JsonSerializerOptions Json = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
    };

    private readonly IShowEmbedder embedder;
    private readonly float[] map;

    private InductiveContent(IShowEmbedder embedder, float[] map, KnownShows known) => (this.embedder, this.map, Known) = (embedder, map, known);

    /// <summary>Where the model's own shows would lie if it did not know them: all, or an even sample.</summary>
    public KnownShows Known { get; }

    /// <summary>
    /// Learns from a model's own shows where content embeddings came to lie: by ridge regression, or exactly where they
    /// began if none has moved.
    /// </summary>
    /// <param name="start">What the CG table started from.</param>
    /// <param name="trained">The CG table's rows of the same shows, [shows, width].</param>
    public static InductiveContent Fit(ContentStart start, Tensor trained)
    {
        using var scope = NewDisposeScope();
        var width = start.Embedder.Width;
        var rows = trained.detach().cpu().contiguous();
        var values = rows.data<float>().ToArray();
        long[] known =
            [.. Enumerable.Range(0, start.Rows.Length / width).Where(i => start.Rows.AsSpan(i * width, width).ContainsAnyExcept(0f)).Select(i => (long)i)];
        if (known.All(i => Enumerable.Range((int)i * width, width).All(at => start.Rows[at] * start.Scale == values[at])))
        {
            var scaled = new float[width * width];
            for (var i = 0; i < width; i++)
            {
                scaled[(i * width) + i] = start.Scale;
            }

            return new InductiveContent(start.Embedder, scaled, Sample(start, known, scaled));
        }

        var chosen = tensor(known);
        var fitted = ContentAlignment.Map(tensor(start.Rows).view(-1, width).index_select(0, chosen), rows.index_select(0, chosen));
        var toTrained = fitted.to(ScalarType.Float32).contiguous().data<float>().ToArray();
        return new InductiveContent(start.Embedder, toTrained, Sample(start, known, toTrained));
    }

    /// <summary>Where the CG embedding of a show would lie, [width]; null when nothing of it is known.</summary>
    public float[]? Embed(Show show)
    {
        if (embedder.Embed(show) is not { } content)
        {
            return null;
        }

        var result = new float[content.Length];
        Mapped(content, map, result);
        return result;
    }

    /// <summary>Writes the files of a bundle that <see cref="Read"/> reads.</summary>
    /// <param name="pathOf">Where a file of the bundle is, by its name.</param>
    public void Write(Func<string, string> pathOf)
    {
        var width = embedder.Width;
        var tensors = new List<TensorData>
        {
            TensorData.Of<float>(MapTensor, map, width, width),
            TensorData.Of<float>(KnownTensor, Known.Cgs, Known.Rows.Length, width),
            TensorData.Of<int>(KnownRowsTensor, Known.Rows, Known.Rows.Length),
        };
        switch (embedder)
        {
            case ContentGraph graph:
                graph.Write(pathOf);
                break;
            case ContentEncoder encoder:
                tensors.Add(TensorData.Of<float>(BasisTensor, encoder.Basis(), encoder.Nodes.Count, width));
                tensors.Add(TensorData.Of<float>(RarityTensor, [.. encoder.Rarity], encoder.Nodes.Count));
                File.WriteAllBytes(pathOf(NodesFile), JsonSerializer.SerializeToUtf8Bytes(encoder.Nodes, Json));
                break;
            default:
                throw new InvalidOperationException($"{embedder.GetType().Name}: has no files in a bundle");
        }

        SafeTensorsFile.Write(pathOf(TensorsFile), tensors);
    }

    /// <summary>Reads a bundle's; null where the model has no CG table.</summary>
    /// <exception cref="BundleException">A file is missing or broken, or of another model.</exception>
    /// <exception cref="SafeTensorsException">A tensor is missing or of another shape.</exception>
    public static InductiveContent? Read(BundleDirectory bundle, M5Config config)
    {
        if (!config.HasCgTable)
        {
            return null;
        }

        if (!bundle.Manifest.Files.ContainsKey(ContentGraph.DescriptionFile))
        {
            return ReadLinear(bundle, config.Width);
        }

        if (bundle.Manifest.Files.ContainsKey(NodesFile))
        {
            throw new BundleException(
                bundle.Path, $"has both {ContentGraph.DescriptionFile} and {NodesFile}; one of them must say what places shows that come later");
        }

        ContentGraph? graph = null;
        try
        {
            graph = ContentGraph.Load(bundle.PathOf);
            graph.Check(config);
            using var file = SafeTensorsFile.Open(bundle.PathOf(TensorsFile));
            return new InductiveContent(graph, file.Read<float>(MapTensor, config.Width, config.Width), ReadKnown(bundle, file, config.Width));
        }
        catch (Exception e)
        {
            graph?.Dispose();
            throw e switch
            {
                InvalidDataException => new BundleException(
                    bundle.Path, e.Message.Replace(bundle.Path + Path.DirectorySeparatorChar, "", StringComparison.Ordinal), e),
                ArgumentException => new BundleException(Path.Combine(bundle.Path, ContentGraph.DescriptionFile), e.Message, e),
                _ => e,
            };
        }
    }

    /// <summary>Disposes what <see cref="Read"/> read.</summary>
    public void Dispose() => (embedder as IDisposable)?.Dispose();

    private static InductiveContent ReadLinear(BundleDirectory bundle, int width)
    {
        var nodesFile = bundle.PathOf(NodesFile);
        var nodes = ReadNodes(nodesFile);
        if (nodes.GroupBy(n => n, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new BundleException(nodesFile, $"node '{twice.Key}': is there {twice.Count()} times; must be once");
        }

        using var file = SafeTensorsFile.Open(bundle.PathOf(TensorsFile));
        var rows = file.Read<float>(BasisTensor, nodes.Count, width);
        var basis = new float[width][];
        for (var c = 0; c < width; c++)
        {
            basis[c] = new float[nodes.Count];
            for (var node = 0; node < nodes.Count; node++)
            {
                basis[c][node] = rows[(node * width) + c];
            }
        }

        return new InductiveContent(
            new ContentEncoder(nodes, file.Read<float>(RarityTensor, nodes.Count), basis),
            file.Read<float>(MapTensor, width, width),
            ReadKnown(bundle, file, width));
    }

    private static KnownShows ReadKnown(BundleDirectory bundle, SafeTensorsFile file, int width)
    {
        var count = file[KnownTensor].Shape.FirstOrDefault();
        var rows = file.Read<int>(KnownRowsTensor, count);
        foreach (var row in rows.Where(r => r < 0 || r >= bundle.Manifest.ItemCount))
        {
            throw new BundleException(bundle.PathOf(TensorsFile), $"{KnownRowsTensor}: {row}; must be from 0 to {bundle.Manifest.ItemCount - 1}");
        }

        return new KnownShows(rows, file.Read<float>(KnownTensor, count, width));
    }

    private static KnownShows Sample(ContentStart start, long[] known, float[] map)
    {
        var width = start.Embedder.Width;
        var count = Math.Min(MaxKnown, known.Length);
        var sample = new KnownShows(new int[count], new float[count * width]);
        for (var i = 0; i < count; i++)
        {
            var row = sample.Rows[i] = (int)known[(long)i * known.Length / count];
            Mapped(start.Rows.AsSpan(row * width, width), map, sample.Cgs.AsSpan(i * width, width));
        }

        return sample;
    }

    private static void Mapped(ReadOnlySpan<float> content, float[] map, Span<float> result)
    {
        for (var i = 0; i < content.Length; i++)
        {
            VectorMath.AddScaled(content[i], map.AsSpan(i * content.Length, content.Length), result);
        }
    }

    private static List<string> ReadNodes(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<List<string>>(File.ReadAllBytes(file), Json) ?? throw new BundleException(file, "empty");
        }
        catch (JsonException e)
        {
            throw new BundleException(file, $"cannot be read: {e.Message}", e);
        }
    }
}
