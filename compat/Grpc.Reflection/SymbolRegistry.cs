using Google.Protobuf.Reflection;

namespace Grpc.Reflection;

/// <summary>Finds file descriptors by their name and by the symbols in them. Immutable.</summary>
public class SymbolRegistry
{
    private readonly Dictionary<string, FileDescriptor> filesByName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FileDescriptor> filesBySymbol = new(StringComparer.Ordinal);

    private SymbolRegistry()
    {
    }

    /// <summary>A registry of those files and all that they depend on.</summary>
    public static SymbolRegistry FromFiles(IEnumerable<FileDescriptor> fileDescriptors)
    {
        ArgumentNullException.ThrowIfNull(fileDescriptors);
        var registry = new SymbolRegistry();
        foreach (var file in fileDescriptors)
        {
            registry.Add(file);
        }

        return registry;
    }

    /// <summary>Null where there is none.</summary>
    public FileDescriptor? FileByName(string filename) => filesByName.GetValueOrDefault(filename);

    /// <summary>By a fully qualified name; null where there is none.</summary>
    public FileDescriptor? FileContainingSymbol(string symbol) => filesBySymbol.GetValueOrDefault(symbol);

    private void Add(FileDescriptor file)
    {
        if (!filesByName.TryAdd(file.Name, file))
        {
            return;
        }

        foreach (var dependency in file.Dependencies)
        {
            Add(dependency);
        }

        foreach (var type in file.EnumTypes)
        {
            Add(type);
        }

        foreach (var type in file.MessageTypes)
        {
            Add(type);
        }

        foreach (var service in file.Services)
        {
            AddSymbol(service);
            foreach (var method in service.Methods)
            {
                AddSymbol(method);
            }
        }

        foreach (var extension in file.Extensions.UnorderedExtensions)
        {
            AddSymbol(extension);
        }
    }

    private void Add(MessageDescriptor type)
    {
        AddSymbol(type);
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            AddSymbol(field);
        }

        foreach (var nested in type.NestedTypes)
        {
            Add(nested);
        }

        foreach (var nested in type.EnumTypes)
        {
            Add(nested);
        }
    }

    private void Add(EnumDescriptor type)
    {
        AddSymbol(type);
        foreach (var value in type.Values)
        {
            AddSymbol(value);
        }
    }

    private void AddSymbol(IDescriptor symbol) => filesBySymbol[symbol.FullName] = symbol.File;
}
