using Nearline.Model.Bundles;
using Nearline.Model.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Graph;

/// <summary>Places a show that a model was not trained with among its CG embeddings: <c>content.*</c> of a bundle.</summary>
internal sealed class InductiveContent
{
    private const string NodesTensor = "basis";
    private const string RarityTensor = "rarity";
    private const string MapTensor = "map";

    private readonly ContentEncoder encoder;
    private readonly float[] map;

    private InductiveContent(ContentEncoder encoder, float[] map) => (this.encoder, this.map) = (encoder, map);

    /// <summary>Learns from a model's own shows where content embeddings came to lie.</summary>
    /// <param name="encoder">Embeds by metadata; the CG table may have started from it or from something better.</param>
    /// <param name="shows">The catalog.</param>
    /// <param name="trained">The CG table's rows of it, [shows, width].</param>
    public static InductiveContent Fit(ContentEncoder encoder, IReadOnlyList<Show> shows, Tensor trained)
    {
        using var scope = NewDisposeScope();
        var width = encoder.Width;
        float[]?[] rows = [.. shows.Select(encoder.Embed)];
        long[] known = [.. rows.Index().Where(r => r.Item is not null).Select(r => (long)r.Index)];
        if (known.Length == 0)
        {
            return new InductiveContent(encoder, new float[width * width]);
        }

        var content = tensor(rows.OfType<float[]>().SelectMany(r => r).ToArray()).view(known.Length, width);
        var fitted = ContentAlignment.Map(content, trained.detach().cpu().index_select(0, tensor(known)));
        return new InductiveContent(encoder, fitted.to(ScalarType.Float32).contiguous().data<float>().ToArray());
    }

    /// <summary>Where the CG embedding of a show would lie, [width]; null when it shares nothing with the catalog.</summary>
    public float[]? Embed(Show show)
    {
        if (encoder.Embed(show) is not { } content)
        {
            return null;
        }

        var result = new float[content.Length];
        for (var i = 0; i < content.Length; i++)
        {
            VectorMath.AddScaled(content[i], map.AsSpan(i * content.Length, content.Length), result);
        }

        return result;
    }

    /// <summary>Its numbers; the names of its nodes are <see cref="Nodes"/>.</summary>
    public IReadOnlyList<TensorData> Tensors() =>
    [
        TensorData.Of<float>(NodesTensor, encoder.Basis(), [encoder.Nodes.Count, encoder.Width]),
        TensorData.Of<float>(RarityTensor, [.. encoder.Rarity], [encoder.Nodes.Count]),
        TensorData.Of<float>(MapTensor, map, [encoder.Width, encoder.Width]),
    ];

    /// <summary>What shows are joined to, in the order of the tensors' rows.</summary>
    public IReadOnlyList<string> Nodes => encoder.Nodes;

    /// <summary>Reads what <see cref="Tensors"/> gave.</summary>
    /// <exception cref="SafeTensorsException">A tensor is missing or of another shape.</exception>
    public static InductiveContent Read(SafeTensorsFile file, IReadOnlyList<string> nodes, int width)
    {
        var rows = file.Read<float>(NodesTensor, nodes.Count, width);
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
            new ContentEncoder(nodes, file.Read<float>(RarityTensor, nodes.Count), basis), file.Read<float>(MapTensor, width, width));
    }
}
