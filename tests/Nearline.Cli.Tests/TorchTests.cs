namespace Nearline.Cli.Tests;

/// <summary>
/// Classes that train in this process, one at a time: torch's random numbers and number of threads are the process's, and
/// what is compared must not depend on who draws meanwhile.
/// </summary>
[CollectionDefinition(Name)]
public sealed class TorchTests
{
    public const string Name = "torch";
}
