using System.Runtime.InteropServices;

namespace Nearline.Client;

/// <summary>A show worth ranking.</summary>
/// <param name="ItemId">Its id.</param>
/// <param name="Score">The hybrid score of the paper's equation 6; in a list of what is popular, popularity.</param>
/// <param name="IdScore">The ID channel's part of the score; 0 in a list of what is popular.</param>
/// <param name="CgScore">The content graph channel's part, likewise.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct CandidateShow(string ItemId, float Score, float IdScore, float CgScore);
