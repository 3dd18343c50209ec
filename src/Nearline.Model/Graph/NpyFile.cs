using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Nearline.Model.Graph;

/// <summary>Matrices in numpy's format: a magic word, a version, a header that is a Python dictionary, the numbers.</summary>
internal static partial class NpyFile
{
    private const int MaxHeader = 1 << 20;

    /// <summary>Reads a float32 or float16 matrix, row-major.</summary>
    /// <exception cref="InvalidDataException">The file is none.</exception>
    public static (float[] Values, int Rows, int Width) Read(string path)
    {
        using var stream = File.OpenRead(path);
        var header = Header(path, stream);
        var type = Type().Match(header).Groups["value"].Value;
        var size = type switch
        {
            "<f4" => sizeof(float),
            "<f2" => 2,
            _ => throw new InvalidDataException($"{path}: descr '{type}'; must be '<f4' (float32) or '<f2' (float16)"),
        };
        if (!header.Contains("'fortran_order': False", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{path}: its numbers lie column by column; save numpy.ascontiguousarray(x)");
        }

        var shape = Shape().Match(header) is { Success: true } match ? match.Groups["value"].Value : "";
        var lengths = shape.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (lengths.Length != 2
            || !int.TryParse(lengths[0], NumberStyles.None, CultureInfo.InvariantCulture, out var rows)
            || !int.TryParse(lengths[1], NumberStyles.None, CultureInfo.InvariantCulture, out var width)
            || width < 1
            || (long)rows * width > Array.MaxLength / 4)
        {
            throw new InvalidDataException($"{path}: shape ({shape}); must be (shows, width)");
        }

        if (stream.Length - stream.Position != (long)rows * width * size)
        {
            throw new InvalidDataException(
                $"{path}: {stream.Length - stream.Position} bytes of numbers; {rows} x {width} of '{type}' need {(long)rows * width * size}");
        }

        var values = new float[rows * width];
        if (size == sizeof(float))
        {
            stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        }
        else
        {
            var halves = new Half[values.Length];
            stream.ReadExactly(MemoryMarshal.AsBytes(halves.AsSpan()));
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = (float)halves[i];
            }
        }

        return (values, rows, width);
    }

    private static string Header(string path, FileStream stream)
    {
        Span<byte> start = stackalloc byte[8];
        if (stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length || !IsMagic(start))
        {
            throw new InvalidDataException($"{path}: does not begin as a .npy file does");
        }

        Span<byte> field = stackalloc byte[start[6] == 1 ? 2 : 4];
        if (stream.ReadAtLeast(field, field.Length, throwOnEndOfStream: false) < field.Length)
        {
            throw new InvalidDataException($"{path}: ends within its header");
        }

        var length = field.Length == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(field) : BinaryPrimitives.ReadUInt32LittleEndian(field);
        if (start[6] is < 1 or > 3 || length > MaxHeader || length > stream.Length - stream.Position)
        {
            throw new InvalidDataException($"{path}: version {start[6]}, header of {length} bytes; must be version 1 to 3, with the header in the file");
        }

        var header = new byte[length];
        stream.ReadExactly(header);
        return Encoding.UTF8.GetString(header);
    }

    private static bool IsMagic(ReadOnlySpan<byte> start) => start[0] == 0x93 && start[1..6].SequenceEqual("NUMPY"u8);

    [GeneratedRegex("'descr': *'(?<value>[^']*)'", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Type();

    [GeneratedRegex(@"'shape': *\((?<value>[^)]*)\)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Shape();
}
