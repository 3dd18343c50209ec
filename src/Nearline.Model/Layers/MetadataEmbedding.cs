using Nearline.Model.Features;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// CG embeddings of raw metadata (paper, section 5.3.1): for each field of the metadata the weighted sum of the learned
/// embeddings of the show's values, the fields side by side in equal shares of the width.
/// </summary>
internal sealed class MetadataEmbedding : nn.Module
{
    private readonly ModuleList<EmbeddingBag> tables;
    private readonly int width;

    /// <param name="metadata">The fields; at least one.</param>
    /// <param name="shows">Shows of the catalog, I.</param>
    /// <param name="width">Width of the embedding, d.</param>
    public MetadataEmbedding(IReadOnlyList<MetadataField> metadata, int shows, int width)
        : base(nameof(MetadataEmbedding))
    {
        if (metadata.Count == 0)
        {
            throw new ArgumentException("metadata: empty; raw metadata needs a tag, an actor, a year or words that some shows share", nameof(metadata));
        }

        this.width = width;
        tables = new ModuleList<EmbeddingBag>(
            [.. metadata.Select((field, f) => nn.EmbeddingBag(field.Size, ShareOf(f, metadata.Count), mode: EmbeddingBagMode.Sum))]);
        RegisterComponents();
        for (var f = 0; f < metadata.Count; f++)
        {
            register_buffer($"rows{f}", Kept(BatchTensors.Index([.. metadata[f].Rows.Select(r => (long)r)], CPU)), persistent: false);
            register_buffer($"starts{f}", Kept(BatchTensors.Index([.. metadata[f].Starts.Take(shows).Select(r => (long)r)], CPU)), persistent: false);
            register_buffer($"weights{f}", Kept(tensor(metadata[f].Weights.ToArray())), persistent: false);
        }

        using var _ = no_grad();
        foreach (var table in tables)
        {
            nn.init.normal_(table.weight!, 0, 1 / Math.Sqrt(width));
        }
    }

    /// <summary>All shows in the order of the index: [I, d].</summary>
    public Tensor Items() => cat(
        [.. tables.Select((t, f) => t.call(get_buffer($"rows{f}")!, get_buffer($"starts{f}")!, get_buffer($"weights{f}")!))], 1);

    private static Tensor Kept(Tensor buffer) => buffer.DetachFromDisposeScope();

    /// <summary>The first field takes what does not divide.</summary>
    private int ShareOf(int field, int fields) => (width / fields) + (field == 0 ? width % fields : 0);
}
