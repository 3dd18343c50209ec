using System.Globalization;
using System.Security.Cryptography;

namespace Nearline.Model.Bundles;

/// <summary>Names of bundles, such as <c>m5-20261122T013000Z-1f0a</c>: they sort by time.</summary>
public static class BundleVersion
{
    private const int MaxLength = 128;

    /// <summary>A version of now; the random end tells two of one second apart.</summary>
    public static string New(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"m5-{time.GetUtcNow():yyyyMMdd'T'HHmmss'Z'}-{RandomNumberGenerator.GetHexString(4, lowercase: true)}");
    }

    /// <summary>
    /// Whether a text may name a bundle or one of its files: letters, digits, '-', '_' and '.', the first not a '.', at
    /// most 128.
    /// </summary>
    public static bool IsName(string? text) =>
        text is { Length: > 0 and <= MaxLength } && text[0] != '.' &&
        text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    internal static string Require(string? version, string parameter) =>
        IsName(version)
            ? version!
            : throw new ArgumentException(
                $"version: '{version}': must be 1 to {MaxLength} letters, digits, '-', '_' and '.', not beginning with '.'",
                parameter);
}
