namespace Nearline.Model;

/// <summary>Where the CG channel's embeddings of shows come from (paper, sections 4.2.1 and 5.3.1).</summary>
public enum CgSource
{
    /// <summary>A table started from the content graph.</summary>
    Graph = 0,

    /// <summary>
    /// The show's metadata without a graph: learned embeddings of its tags, cast, release and text, each summed with
    /// TF-IDF weights and laid side by side: M5 w/ Raw Metadata.
    /// </summary>
    RawMetadata = 1,
}
