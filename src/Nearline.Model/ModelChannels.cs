namespace Nearline.Model;

/// <summary>Which channels make the score (paper, sections 4.5 and 5.3.1).</summary>
public enum ModelChannels
{
    /// <summary>Both, weighted by equation 6: M5.</summary>
    IdAndCg = 0,

    /// <summary>The ID channel alone; w is 1 and nothing of the CG channel exists: M5 w/o MM.</summary>
    Id = 1,

    /// <summary>
    /// One user embedding from the interests of both, against one item embedding from an MLP over both: M5 w/ Single
    /// Channel.
    /// </summary>
    Single = 2,
}
