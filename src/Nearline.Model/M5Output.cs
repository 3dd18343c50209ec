using static TorchSharp.torch;

namespace Nearline.Model;

/// <summary>What the user tower made of a batch.</summary>
/// <param name="UserId">u^ID; where a single channel combines both, its user embedding: [P, d].</param>
/// <param name="UserCg">u^CG: [P, d]; null in a model without two channels.</param>
/// <param name="Weight">w: [P, 1]; null like <paramref name="UserCg"/>, when it is 1.</param>
/// <param name="Hidden">Representations of the ID channel's behaviours, the self-attention's outputs: [T, d].</param>
/// <param name="IdExperts">Outputs of the experts of <paramref name="UserId"/>: [P, n_exp, ExpertWidth]; null without experts.</param>
/// <param name="CgExperts">Outputs of the CG channel's experts.</param>
internal sealed record M5Output(
    Tensor UserId, Tensor? UserCg, Tensor? Weight, Tensor Hidden, Tensor? IdExperts, Tensor? CgExperts)
{
    /// <summary>The hybrid user embedding [w u^ID, (1 - w) u^CG] (paper, section 4.5): [P, 2d]; of one channel: [P, d].</summary>
    public Tensor Query() =>
        UserCg is { } cg && Weight is { } w ? cat([w * UserId, (1 - w) * cg], 1) : UserId;
}
