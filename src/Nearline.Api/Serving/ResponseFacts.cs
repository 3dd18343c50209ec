using System.Runtime.InteropServices;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Serving;

/// <summary>What a response says beyond its candidates.</summary>
/// <param name="Source">Where they come from.</param>
/// <param name="Variant">The experiment; empty: none.</param>
/// <param name="Age">How old the list is; null when it does not tell.</param>
/// <param name="ModelVersion">Instead of the list's own; null: the list's own.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ResponseFacts(CandidateSource Source, string Variant, TimeSpan? Age, string? ModelVersion = null);
