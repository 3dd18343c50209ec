using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nearline.Model.Bundles;

namespace Nearline.Model.Index.Hnsw;

/// <summary>An index as one file, laid out so that it is used where it is mapped.</summary>
/// <remarks>A header in a page of its own, then fp32 rows, int8 rows, their scales, errors and norms, links of the base,
/// links above it, and where each row's begin; each from the start of a page, zeros between.</remarks>
internal static class HnswFile
{
    private const int Page = 4096;
    private const int Chunk = 1 << 20;

    /// <summary>Writes a file, or replaces one.</summary>
    public static void Save(string path, HnswRows rows, HnswGraph graph, HnswSettings settings)
    {
        var int8 = rows.Int8.Parts;
        var header = new HnswHeader
        {
            Magic = HnswHeader.FileMagic,
            Version = HnswHeader.FileVersion,
            Dimension = rows.Floats.Dimension,
            Count = rows.Floats.Count,
            Links = settings.Links,
            ConstructionBreadth = settings.ConstructionBreadth,
            Seed = settings.Seed,
            Entry = graph.Entry,
            TopLevel = graph.TopLevel,
            UpperLists = graph.UpperLists,
            GreatestNorm = int8.GreatestNorm,
            GreatestError = int8.GreatestError,
        };
        DurableFiles.Replace(path, stream =>
        {
            var writer = new Writer(stream);
            stream.Write(new byte[Page]);
            writer.Write(rows.Floats.Values);
            writer.Write(int8.Values);
            writer.Write(int8.Scales);
            writer.Write(int8.Errors);
            writer.Write(int8.Norms);
            writer.Write(graph.BaseLinks);
            writer.Write(graph.UpperLinks);
            writer.Write(graph.UpperStarts);
            header.PartsChecksum = writer.Checksum();
            header.Checksum = Checksum(header);
            stream.Position = 0;
            stream.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<HnswHeader>(in header)));
        });
    }

    /// <summary>Maps a file into memory and checks it.</summary>
    /// <exception cref="InvalidDataException">It is no such file, of another version, truncated, or changed.</exception>
    public static (HnswRows Rows, HnswGraph Graph, HnswSettings Settings) Open(string path)
    {
        var file = MappedFile.Open(path);
        var header = Header(path, file);
        var reader = new Reader(file);
        var padded = Int8Rows.Padded(header.Count);
        var floats = new FloatRows(header.Count, header.Dimension, reader.Take<float>((long)header.Count * FloatRows.StrideOf(header.Dimension)));
        var int8 = new Int8Parts(
            reader.Take<byte>(padded * Int8Rows.StrideOf(header.Dimension)),
            reader.Take<float>(padded),
            reader.Take<float>(padded),
            reader.Take<float>(padded),
            header.GreatestNorm,
            header.GreatestError);
        var baseLinks = reader.Take<int>((long)header.Count * 2 * header.Links);
        var upperLinks = reader.Take<int>((long)header.UpperLists * header.Links);
        var upperStarts = reader.Take<int>(header.Count + 1L);
        if (reader.End != file.Length)
        {
            throw Invalid(path, $"{file.Length} bytes: must be {reader.End}, as its header says; it is truncated or not of one piece");
        }

        if (Checksum(file) != header.PartsChecksum)
        {
            throw Invalid(path, "its checksum does not fit its content, which has changed since it was written");
        }

        var graph = new HnswGraph(header.Count, header.Links, header.Entry, header.TopLevel, baseLinks, upperLinks, upperStarts);
        CheckGraph(path, graph, header);
        var settings = new HnswSettings { Links = header.Links, ConstructionBreadth = header.ConstructionBreadth, Seed = header.Seed };
        return (new HnswRows(floats, new Int8Rows(header.Dimension, Int8Kernel.Supported[0], int8)), graph, settings);
    }

    private static HnswHeader Header(string path, MappedFile file)
    {
        if (file.Length < Page)
        {
            throw Invalid(path, $"{file.Length} bytes: no HNSW index is as short");
        }

        var header = MemoryMarshal.Read<HnswHeader>(file.Bytes(0, Page));
        if (header.Magic != HnswHeader.FileMagic)
        {
            throw Invalid(path, $"begins with {header.Magic:x16}: it is no HNSW index, which begins with {HnswHeader.FileMagic:x16}");
        }

        if (header.Version != HnswHeader.FileVersion)
        {
            throw Invalid(path, $"version {header.Version}: must be {HnswHeader.FileVersion}; build the index again");
        }

        if (header.Checksum != Checksum(header))
        {
            throw Invalid(path, "its header's checksum does not fit the header, which has changed since it was written");
        }

        var isSound = header.Dimension is >= 1 and <= Int8Kernel.MaxStride && header.Count >= 0
            && header.Links is >= HnswGraph.LeastLinks and <= HnswGraph.MostLinks && header.ConstructionBreadth >= 1
            && header.UpperLists >= 0 && header.Entry >= 0 && header.Entry < Math.Max(1, header.Count);
        return isSound ? header : throw Invalid(path, $"its header makes no sense: {header.Count} rows of {header.Dimension}, {header.Links} links");
    }

    /// <summary>Walks do not check where links lead.</summary>
    private static void CheckGraph(string path, HnswGraph graph, in HnswHeader header)
    {
        var isSound = graph.UpperStarts[0] == 0 && graph.UpperLists == header.UpperLists;
        for (var row = 0; isSound && row < graph.Count; row++)
        {
            isSound = graph.Level(row) >= 0 && graph.Level(row) <= graph.TopLevel;
        }

        if (!isSound || (graph.Count > 0 && graph.Level(graph.Entry) != graph.TopLevel))
        {
            throw Invalid(path, "its levels make no sense");
        }

        var wrong = -1L;
        Parallel.For(0, graph.Count, row =>
        {
            for (var level = 0; level <= graph.Level(row); level++)
            {
                foreach (var link in graph[graph.List(row, level)])
                {
                    if (link < HnswGraph.End || link >= graph.Count || (link >= 0 && graph.Level(link) < level))
                    {
                        Interlocked.Exchange(ref wrong, row);
                    }
                }
            }
        });
        if (wrong >= 0)
        {
            throw Invalid(path, $"row {wrong} has a link to a row that is not there");
        }
    }

    private static InvalidDataException Invalid(string path, string why) => new($"{path}: {why}");

    private static uint Checksum(HnswHeader header)
    {
        header.Checksum = 0;
        return Checksum(0, MemoryMarshal.AsBytes(new ReadOnlySpan<HnswHeader>(in header)));
    }

    private static uint Checksum(MappedFile file)
    {
        var chunks = new uint[(file.Length - Page + Chunk - 1) / Chunk];
        Parallel.For(0, chunks.Length, i =>
        {
            var from = Page + ((long)i * Chunk);
            chunks[i] = Checksum(0, file.Bytes(from, (int)Math.Min(Chunk, file.Length - from)));
        });
        return Checksum(0, MemoryMarshal.AsBytes(chunks.AsSpan()));
    }

    private static uint Checksum(uint checksum, ReadOnlySpan<byte> bytes)
    {
        foreach (var eight in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            checksum = BitOperations.Crc32C(checksum, eight);
        }

        foreach (var one in bytes[(bytes.Length / sizeof(ulong) * sizeof(ulong))..])
        {
            checksum = BitOperations.Crc32C(checksum, one);
        }

        return checksum;
    }

    private static long InPages(long bytes) => (bytes + Page - 1) / Page * Page;

    /// <summary>Writes parts, and sums up what it wrote.</summary>
    private sealed class Writer(Stream stream)
    {
        private readonly List<uint> chunks = [];
        private uint chunk;
        private int written;

        public void Write<T>(AlignedArray<T> part)
            where T : unmanaged
        {
            for (long from = 0; from < part.Bytes; from += Chunk)
            {
                Write(MemoryMarshal.CreateReadOnlySpan(
                    ref Unsafe.AddByteOffset(ref Unsafe.As<T, byte>(ref part.First), (nint)from), (int)Math.Min(Chunk, part.Bytes - from)));
            }

            Write(new byte[InPages(part.Bytes) - part.Bytes]);
        }

        public uint Checksum()
        {
            if (written > 0)
            {
                Close();
            }

            return HnswFile.Checksum(0, MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(chunks)));
        }

        private void Write(ReadOnlySpan<byte> bytes)
        {
            stream.Write(bytes);
            while (bytes.Length > 0)
            {
                // Always whole eights: parts are of whole lines, chunks too.
                var part = bytes[..Math.Min(bytes.Length, Chunk - written)];
                chunk = HnswFile.Checksum(chunk, part);
                written += part.Length;
                bytes = bytes[part.Length..];
                if (written == Chunk)
                {
                    Close();
                }
            }
        }

        private void Close()
        {
            chunks.Add(chunk);
            (chunk, written) = (0, 0);
        }
    }

    /// <summary>Finds the parts of a mapped file.</summary>
    private sealed class Reader(MappedFile file)
    {
        /// <summary>Where the next part begins.</summary>
        public long End { get; private set; } = Page;

        public AlignedArray<T> Take<T>(long length)
            where T : unmanaged
        {
            var part = new AlignedArray<T>((nint)(file.Address + End), length, file);
            End += InPages(part.Bytes);
            return part;
        }
    }
}
