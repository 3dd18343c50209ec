using FsCheck;
using FsCheck.Fluent;

namespace Nearline.Model.Tests.Support;

/// <summary>Seeds over the whole range: FsCheck's own small integers would repeat themselves.</summary>
internal static class Seeds
{
    public static Arbitrary<int> Any { get; } = Arb.From(Gen.Choose(0, int.MaxValue - 1));
}
