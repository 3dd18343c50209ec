using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Nearline.Model.Bundles;

/// <summary>
/// A file of named tensors in the safetensors format, which PyTorch, numpy and others read and write. Its bytes
/// depend on nothing but its content.
/// </summary>
/// <remarks>
/// Tensors are read into the caller's memory by position, not mapped: a mapped file that someone truncates kills the
/// process. An open file may be read from several threads at once.
/// </remarks>
public sealed class SafeTensorsFile : IDisposable
{
    private readonly SafeFileHandle handle;
    private readonly Dictionary<string, TensorInfo> byName;

    private SafeTensorsFile(
        string path, SafeFileHandle handle, List<TensorInfo> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        Path = path;
        this.handle = handle;
        Tensors = tensors;
        Metadata = metadata;
        byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The tensors, in the header's order.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>The header's free texts.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>What the file says of one tensor.</summary>
    /// <exception cref="SafeTensorsException">It has none of that name.</exception>
    public TensorInfo this[string name] =>
        byName.TryGetValue(name, out var tensor)
            ? tensor
            : throw new SafeTensorsException(Path, $"no tensor '{name}'; there is {Some(byName.Keys)}");

    /// <summary>Writes a file, replacing one that is there, and flushes it to the disk.</summary>
    /// <remarks>Wider elements come first, then by name, so that every tensor is aligned.</remarks>
    /// <exception cref="ArgumentException">Two tensors have one name.</exception>
    public static void Write(
        string path, IEnumerable<TensorData> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var stream = File.Create(path);
        Write(stream, tensors, metadata);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Writes the file's bytes to a stream.</summary>
    /// <exception cref="ArgumentException">Two tensors have one name.</exception>
    public static void Write(
        Stream stream, IEnumerable<TensorData> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);
        var sorted = tensors
            .OrderByDescending(t => TensorKinds.SizeOf(t.Kind))
            .ThenBy(t => t.Name, StringComparer.Ordinal)
            .ToList();
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (sorted.Find(t => !names.Add(t.Name)) is { } twice)
        {
            throw new ArgumentException($"tensor '{twice.Name}': given twice", nameof(tensors));
        }

        var header = SafeTensorsHeader.Write(sorted, metadata);
        Span<byte> length = stackalloc byte[SafeTensorsHeader.LengthSize];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var tensor in sorted)
        {
            stream.Write(tensor.Bytes.Span);
        }
    }

    /// <summary>Opens a file and checks its whole header; the elements are read when asked for.</summary>
    /// <exception cref="SafeTensorsException">The header is not as the format demands.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafeTensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var opened = File.OpenHandle(path);
        try
        {
            var size = RandomAccess.GetLength(opened);
            if (size < SafeTensorsHeader.LengthSize)
            {
                throw new SafeTensorsException(path, string.Create(
                    CultureInfo.InvariantCulture, $"{size} bytes; the header's length alone has 8"));
            }

            Span<byte> lengthField = stackalloc byte[SafeTensorsHeader.LengthSize];
            ReadExactly(path, opened, lengthField, 0);
            var length = BinaryPrimitives.ReadUInt64LittleEndian(lengthField);
            if (length > SafeTensorsHeader.MaxLength || length > (ulong)size - SafeTensorsHeader.LengthSize)
            {
                throw new SafeTensorsException(path, string.Create(
                    CultureInfo.InvariantCulture,
                    $"header: length {length}: must be at most {SafeTensorsHeader.MaxLength} and fit the file of {size} bytes"));
            }

            var header = new byte[(int)length];
            ReadExactly(path, opened, header, SafeTensorsHeader.LengthSize);
            var (tensors, metadata) = SafeTensorsHeader.Parse(
                path, header, size - SafeTensorsHeader.LengthSize - header.Length);
            return new SafeTensorsFile(path, opened, tensors, metadata);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => byName.ContainsKey(name);

    /// <summary>The elements of a tensor, row-major, as float, Half, long, int or byte.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="shape">The shape that it must have; -1 for a length that may be any. Left out: any shape.</param>
    /// <exception cref="SafeTensorsException">It is not there, or of another kind or shape.</exception>
    public T[] Read<T>(string name, params ReadOnlySpan<long> shape) where T : unmanaged
    {
        var tensor = Expect<T>(name, shape);
        if (tensor.Count > Array.MaxLength)
        {
            throw new SafeTensorsException(Path, $"tensor '{name}': {tensor.Count} elements; an array holds at most {Array.MaxLength}");
        }

        var values = new T[tensor.Count];
        ReadInto<T>(tensor, values);
        return values;
    }

    /// <summary>Reads a tensor's elements into memory of exactly their number.</summary>
    /// <exception cref="SafeTensorsException">It is not there, of another kind, or of another number of elements.</exception>
    public void Read<T>(string name, Span<T> destination) where T : unmanaged
    {
        var tensor = Expect<T>(name, []);
        if (tensor.Count != destination.Length)
        {
            throw new SafeTensorsException(Path, string.Create(
                CultureInfo.InvariantCulture, $"tensor '{name}': {tensor.Count} elements; {destination.Length} are wanted"));
        }

        ReadInto(tensor, destination);
    }

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    private static string Some(ICollection<string> names) =>
        names.Count == 0 ? "none" : string.Join(", ", names.Take(8)) + (names.Count > 8 ? ", ..." : "");

    private static void ReadExactly(string path, SafeFileHandle file, Span<byte> buffer, long offset)
    {
        while (!buffer.IsEmpty)
        {
            var count = RandomAccess.Read(file, buffer, offset);
            if (count == 0)
            {
                throw new SafeTensorsException(path, "ended early: it was truncated while it was read");
            }

            buffer = buffer[count..];
            offset += count;
        }
    }

    private TensorInfo Expect<T>(string name, ReadOnlySpan<long> shape) where T : unmanaged
    {
        var tensor = this[name];
        var kind = TensorKinds.Of<T>();
        var fits = shape.IsEmpty || shape.Length == tensor.Shape.Count;
        for (var i = 0; fits && i < shape.Length; i++)
        {
            fits = shape[i] == -1 || shape[i] == tensor.Shape[i];
        }

        return tensor.Kind == kind && fits
            ? tensor
            : throw new SafeTensorsException(
                Path,
                $"tensor '{name}': {tensor.Kind} [{string.Join(", ", tensor.Shape)}]; must be {kind}" +
                (shape.IsEmpty ? "" : $" [{string.Join(", ", shape.ToArray())}]"));
    }

    private void ReadInto<T>(TensorInfo tensor, Span<T> destination) where T : unmanaged
    {
        // A span of bytes holds at most 2 GiB, a tensor may hold more.
        var (offset, step) = (tensor.Offset, (1 << 28) / TensorKinds.SizeOf(tensor.Kind));
        while (!destination.IsEmpty)
        {
            var part = MemoryMarshal.AsBytes(destination[..Math.Min(step, destination.Length)]);
            ReadExactly(Path, handle, part, offset);
            offset += part.Length;
            destination = destination[Math.Min(step, destination.Length)..];
        }
    }
}
