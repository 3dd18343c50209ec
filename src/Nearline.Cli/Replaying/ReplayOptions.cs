using Nearline.Cli.Console;

namespace Nearline.Cli.Replaying;

/// <summary>What to replay, and where to.</summary>
/// <param name="Bootstrap">Kafka.</param>
/// <param name="Redis">Redis.</param>
/// <param name="Models">The folder of bundles.</param>
/// <param name="Topic">The topic of user events.</param>
/// <param name="Prefix">What comes before every key that is written.</param>
/// <param name="From">The first event's time of arrival, or offset in every partition; null: the oldest that Kafka has.</param>
internal sealed record ReplayOptions(
    string Bootstrap, string Redis, string Models, string Topic, string Prefix, ReplayStart? From)
{
    /// <exception cref="CliException">The prefix is none.</exception>
    public void Validate()
    {
        if (Prefix.Length is < 1 or > 64 || Prefix[^1] != ':' || !Prefix.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or ':'))
        {
            throw new CliException($"--prefix is '{Prefix}'; it must be 1 to 64 letters, digits, '-', '_' or ':', and end with ':', such as shadow:");
        }
    }
}
