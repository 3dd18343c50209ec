namespace Nearline.Model;

/// <summary>How a channel turns a sequence of behaviours into one interest (paper, sections 4.3.2, 4.3.3 and 5.3.2).</summary>
public enum InterestExtraction
{
    /// <summary>The sum of the embeddings.</summary>
    Sum = 0,

    /// <summary>The sum of the embeddings, weighted by SIN: M5's CG channel.</summary>
    Sin = 1,

    /// <summary>The sum of the self-attention's outputs.</summary>
    SelfAttention = 2,

    /// <summary>The sum of the self-attention's outputs, weighted by SIN: M5's ID channel.</summary>
    SelfAttentionSin = 3,
}

/// <summary>The two parts of an extraction.</summary>
internal static class InterestExtractions
{
    /// <summary>Whether it has a self-attention encoder.</summary>
    public static bool HasAttention(this InterestExtraction extraction) =>
        extraction is InterestExtraction.SelfAttention or InterestExtraction.SelfAttentionSin;

    /// <summary>Whether SIN weights the behaviours.</summary>
    public static bool HasSin(this InterestExtraction extraction) =>
        extraction is InterestExtraction.Sin or InterestExtraction.SelfAttentionSin;
}
