using System.Reflection;

namespace Nearline.Api.Tests.Admin;

public sealed class DependencyTests
{
    /// <summary>Whoever lists bundles must not load a deep-learning library for it.</summary>
    [Fact]
    public void The_api_needs_neither_the_model_nor_torch()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        Walk(typeof(ApiHost).Assembly);

        Assert.Contains("Nearline.Model.Bundles", seen);
        Assert.DoesNotContain("Nearline.Model", seen);
        Assert.DoesNotContain(seen, name => name.Contains("Torch", StringComparison.OrdinalIgnoreCase));

        void Walk(Assembly assembly)
        {
            foreach (var name in assembly.GetReferencedAssemblies())
            {
                if (seen.Add(name.Name!) && name.Name!.StartsWith("Nearline", StringComparison.Ordinal))
                {
                    Walk(Assembly.Load(name));
                }
            }
        }
    }
}
