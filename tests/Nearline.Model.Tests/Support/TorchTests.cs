namespace Nearline.Model.Tests.Support;

/// <summary>Tests that use torch take turns: its seed and thread count are the process's.</summary>
[CollectionDefinition(Name)]
public sealed class TorchTests
{
    public const string Name = "torch";
}
