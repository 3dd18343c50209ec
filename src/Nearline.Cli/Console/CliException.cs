namespace Nearline.Cli.Console;

/// <summary>Something that the user can mend; the message says how.</summary>
internal sealed class CliException(string message) : Exception(message);
