using System.Text.Json;
using Nearline.Model.Bundles;

namespace Nearline.Model.Graph;

/// <summary>
/// Vectors of shows in files: <c>NAME.npy</c>, a float32 or float16 matrix, with a show's id for each row on the lines
/// of <c>NAME.ids.txt</c>; or <c>NAME.safetensors</c>, one matrix F32 or F16, with the ids as a JSON list in the text
/// <c>ids</c> of its metadata.
/// </summary>
internal static class VectorFile
{
    public static NodeVectors Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path))
        {
            throw new InvalidDataException($"{path}: there is no such file");
        }

        try
        {
            return Path.GetExtension(path).ToUpperInvariant() switch
            {
                ".NPY" => ReadNpy(path),
                ".SAFETENSORS" => ReadSafeTensors(path),
                var other => throw new InvalidDataException($"{path}: '{other}' is not a format of vectors; use .npy or .safetensors"),
            };
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"{path}: {e.Message.Replace($" (Parameter '{e.ParamName}')", "", StringComparison.Ordinal)}", e);
        }
        catch (SafeTensorsException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }

    private static NodeVectors ReadNpy(string path)
    {
        var (values, rows, width) = NpyFile.Read(path);
        var list = Path.ChangeExtension(path, ".ids.txt");
        if (!File.Exists(list))
        {
            throw new InvalidDataException($"{list}: there is no such file; it must have the show's id of each of the {rows} rows of {Path.GetFileName(path)}, one a line");
        }

        var ids = File.ReadAllLines(list);
        return ids.Length == rows
            ? new NodeVectors(ids, width, values)
            : throw new InvalidDataException($"{list}: {ids.Length} lines; {Path.GetFileName(path)} has {rows} rows, and each needs an id");
    }

    private static NodeVectors ReadSafeTensors(string path)
    {
        using var file = SafeTensorsFile.Open(path);
        if (file.Tensors.Count != 1)
        {
            throw new InvalidDataException($"{path}: {file.Tensors.Count} tensors; must be one, [shows, width]");
        }

        var tensor = file.Tensors[0];
        if (tensor.Shape.Count != 2 || tensor.Shape[1] is < 1 or > int.MaxValue)
        {
            throw new InvalidDataException($"{path}: tensor '{tensor.Name}': [{string.Join(", ", tensor.Shape)}]; must be [shows, width]");
        }

        if (!file.Metadata.TryGetValue("ids", out var text))
        {
            throw new InvalidDataException($"{path}: metadata has no 'ids'; must be a JSON list of the rows' shows");
        }

        string[] ids;
        try
        {
            ids = JsonSerializer.Deserialize<string[]>(text) ?? [];
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: metadata 'ids': must be a JSON list of texts: {e.Message}", e);
        }

        if (ids.Length != tensor.Shape[0])
        {
            throw new InvalidDataException($"{path}: metadata 'ids': {ids.Length} ids; tensor '{tensor.Name}' has {tensor.Shape[0]} rows");
        }

        var values = tensor.Kind switch
        {
            TensorKind.F32 => file.Read<float>(tensor.Name),
            TensorKind.F16 => Array.ConvertAll(file.Read<Half>(tensor.Name), v => (float)v),
            var kind => throw new InvalidDataException($"{path}: tensor '{tensor.Name}': {kind}; must be F32 or F16"),
        };
        return new NodeVectors(ids, (int)tensor.Shape[1], values);
    }
}
