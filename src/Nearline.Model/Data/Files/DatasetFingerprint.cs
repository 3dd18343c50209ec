using System.Security.Cryptography;

namespace Nearline.Model.Data.Files;

/// <summary>A hash over what the dataset's files would hold, without writing them.</summary>
internal static class DatasetFingerprint
{
    public static string Of(Dataset dataset)
    {
        DatasetChecks.Verify(dataset);
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, write) in DatasetFiles.Parts)
        {
            // Each file's own hash, so that no byte can move from one file to the next unnoticed.
            using var sha = SHA256.Create();
            using (var stream = new CryptoStream(Stream.Null, sha, CryptoStreamMode.Write))
            {
                write(stream, dataset);
            }

            all.AppendData(System.Text.Encoding.UTF8.GetBytes($"{Convert.ToHexStringLower(sha.Hash!)}  {name}\n"));
        }

        return "sha256:" + Convert.ToHexStringLower(all.GetHashAndReset());
    }
}
