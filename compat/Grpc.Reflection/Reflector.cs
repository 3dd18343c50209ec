using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Grpc.Reflection;

/// <summary>The answers, which are the same in all versions of the protocol.</summary>
internal sealed class Reflector
{
    public const string FileNotFound = "File not found.";
    public const string SymbolNotFound = "Symbol not found.";
    public const string NotSupported = "Request type not supported by C# reflection service.";

    private readonly SymbolRegistry registry;

    public Reflector(IEnumerable<string> services, SymbolRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(registry);
        Services = [.. services];
        this.registry = registry;
    }

    public IReadOnlyList<string> Services { get; }

    /// <summary>The file and all that it depends on, serialized; null where there is none of that name.</summary>
    public IReadOnlyList<ByteString>? FileByName(string name) => WithDependencies(registry.FileByName(name));

    /// <summary>The file and all that it depends on, serialized; null where there is no such symbol.</summary>
    public IReadOnlyList<ByteString>? FileContainingSymbol(string symbol) => WithDependencies(registry.FileContainingSymbol(symbol));

    private static List<ByteString>? WithDependencies(FileDescriptor? file)
    {
        if (file is null)
        {
            return null;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        var result = new List<ByteString>();
        Add(file);
        return result;

        void Add(FileDescriptor next)
        {
            if (seen.Add(next.Name))
            {
                result.Add(next.SerializedData);
                foreach (var dependency in next.Dependencies)
                {
                    Add(dependency);
                }
            }
        }
    }
}
