using System.ComponentModel;
using System.Diagnostics;

namespace Nearline.Cli.Comparing;

/// <summary>Which state of the code figures are of.</summary>
internal static class GitCommit
{
    /// <summary>
    /// The commit of the checkout around the current directory, with "-dirty" where tracked files differ from it; null
    /// without a checkout or git.
    /// </summary>
    public static string? Current() =>
        Ask("rev-parse", "--short=12", "HEAD") is { Length: > 0 } commit
            ? commit + (Ask("status", "--porcelain", "--untracked-files=no") is { Length: > 0 } ? "-dirty" : "")
            : null;

    private static string? Ask(params string[] arguments)
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var output = git.StandardOutput.ReadToEnd().Trim();
            git.WaitForExit();
            return git.ExitCode == 0 ? output : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
