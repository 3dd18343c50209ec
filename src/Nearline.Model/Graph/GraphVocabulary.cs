namespace Nearline.Model.Graph;

/// <summary>What the rows of a trained graph mean.</summary>
public sealed record GraphVocabulary
{
    /// <summary>The shows, in the order of the embeddings.</summary>
    public required IReadOnlyList<string> Shows { get; init; }

    /// <summary>The names of the nodes of each kind that has names, in the order of their rows.</summary>
    public required IReadOnlyDictionary<MetaNodeKind, IReadOnlyList<string>> Nodes { get; init; }

    /// <summary>Width of the text vectors; 0 where there are none.</summary>
    public required int TextWidth { get; init; }

    /// <summary>Whether the text vectors are hashed n-grams of title and description.</summary>
    public required bool HashedText { get; init; }

    /// <summary>Width of the visual vectors; 0 where there are none.</summary>
    public required int VisualWidth { get; init; }

    /// <summary>Named nodes of all kinds.</summary>
    internal int NodeCount => Nodes.Values.Sum(n => n.Count);

    internal static GraphVocabulary Of(Metagraph graph) => new()
    {
        Shows = graph.Shows,
        Nodes = MetaNodes.Learned.ToDictionary(kind => kind, kind => graph.Of(kind).Names),
        TextWidth = WidthOf(graph, MetaNodeKind.Text),
        HashedText = graph.HashedText,
        VisualWidth = WidthOf(graph, MetaNodeKind.Visual),
    };

    private static int WidthOf(Metagraph graph, MetaNodeKind kind) =>
        graph.Of(kind).Vectors is { Ids.Count: > 0 } vectors ? vectors.Width : 0;
}
