namespace Nearline.Contracts;

/// <summary>
/// The layout of the values in Redis, a number in each of them. Fields may be added without a new number; a number is
/// needed when older readers would misread. Readers take every number up to their newest and refuse what is above it, so
/// readers are brought up to date before writers, and either can go back by one version.
/// </summary>
public static class StorageSchema
{
    /// <summary>What this version writes, and the newest that it reads. Values of before numbers were stored have 0 and its layout.</summary>
    public const uint Newest = 1;

    /// <summary>Whether this version reads a value of that number.</summary>
    public static bool IsReadable(uint schema) => schema <= Newest;

    /// <summary>What to say of one that it does not.</summary>
    public static string Refusal(uint schema) => FormattableString.Invariant(
        $"its schema {schema} is newer than {Newest}, the newest that this version reads: bring this service up to date first");
}
