using System.IO.MemoryMappedFiles;

namespace Nearline.Model.Index.Hnsw;

/// <summary>A file that is mapped into memory to be read, until the garbage collector takes this.</summary>
internal sealed class MappedFile
{
    // Unmaps when it is finalized.
    private readonly MemoryMappedViewAccessor view;

    private MappedFile(MemoryMappedViewAccessor view, long length)
    {
        (this.view, Length) = (view, length);
        Address = view.SafeMemoryMappedViewHandle.DangerousGetHandle() + (nint)view.PointerOffset;
    }

    /// <summary>Of the first byte, at the start of a page.</summary>
    public nint Address { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>Maps a file.</summary>
    /// <exception cref="InvalidDataException">It is empty.</exception>
    public static MappedFile Open(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        var length = stream.Length;
        if (length == 0)
        {
            throw new InvalidDataException($"{path}: is empty");
        }

        // The mapping outlives the file's handle.
        using var file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        return new MappedFile(file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), length);
    }

    /// <summary>Some bytes; not checked.</summary>
    public unsafe ReadOnlySpan<byte> Bytes(long from, int count)
    {
        GC.KeepAlive(view);
        return new ReadOnlySpan<byte>((byte*)Address + from, count);
    }
}
