using static TorchSharp.torch;

namespace Nearline.Model;

/// <summary>What the user tower made of a batch.</summary>
/// <param name="UserId">u^ID: [P, d].</param>
/// <param name="UserCg">u^CG: [P, d].</param>
/// <param name="Weight">w: [P, 1].</param>
/// <param name="Hidden">Self-attention outputs: [T, d].</param>
/// <param name="IdExperts">Outputs of the ID channel's experts: [P, n_exp, ExpertWidth].</param>
/// <param name="CgExperts">Outputs of the CG channel's experts.</param>
internal sealed record M5Output(
    Tensor UserId, Tensor UserCg, Tensor Weight, Tensor Hidden, Tensor IdExperts, Tensor CgExperts)
{
    /// <summary>The hybrid user embedding [w u^ID, (1 - w) u^CG] (paper, section 4.5): [P, 2d].</summary>
    public Tensor Query() => cat([Weight * UserId, (1 - Weight) * UserCg], 1);
}
