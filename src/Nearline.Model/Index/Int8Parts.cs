namespace Nearline.Model.Index;

/// <summary>What <see cref="Int8Rows"/> consist of, so that they can be stored.</summary>
/// <param name="Values">[padded count, stride], 128 more than they mean.</param>
/// <param name="Scales">[padded count].</param>
/// <param name="Errors">[padded count].</param>
/// <param name="Norms">[padded count].</param>
/// <param name="GreatestNorm">At least the norm of every row.</param>
/// <param name="GreatestError">At least the error of every row.</param>
internal sealed record Int8Parts(
    AlignedArray<byte> Values,
    AlignedArray<float> Scales,
    AlignedArray<float> Errors,
    AlignedArray<float> Norms,
    double GreatestNorm,
    double GreatestError);
