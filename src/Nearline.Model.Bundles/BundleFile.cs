namespace Nearline.Model.Bundles;

/// <summary>What a manifest says of a file.</summary>
/// <param name="Sha256">Its SHA-256, 64 lower-case hexadecimal digits.</param>
/// <param name="Bytes">Its size.</param>
public sealed record BundleFile(string Sha256, long Bytes);
