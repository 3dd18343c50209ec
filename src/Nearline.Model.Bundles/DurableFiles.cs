using System.Runtime.InteropServices;

namespace Nearline.Model.Bundles;

/// <summary>Writes that survive a crash: content first, then names.</summary>
internal static class DurableFiles
{
    private const int ReadOnlyFlag = 0;

    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        using var stream = File.Create(path);
        stream.Write(content);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Replaces a file so that every reader sees the old content or the new.</summary>
    public static void Replace(string path, byte[] content) => Replace(path, stream => stream.Write(content));

    /// <inheritdoc cref="Replace(string, byte[])"/>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes the new content.</param>
    public static void Replace(string path, Action<Stream> write)
    {
        var temporary = $"{path}.tmp-{Guid.NewGuid():N}";
        try
        {
            using (var stream = File.Create(temporary))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Flushes the names in a directory. Where the system has no such call, renames are durable by themselves or not at all.</summary>
    public static void FlushDirectory(string path)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            return;
        }

        // .NET opens no directories.
        var descriptor = Open(path, ReadOnlyFlag);
        if (descriptor < 0)
        {
            throw new IOException($"{path}: cannot be opened to flush it: error {Marshal.GetLastPInvokeError()}");
        }

        try
        {
            // Some file systems refuse to flush a directory (EINVAL); there is nothing more to do on them.
            _ = Flush(descriptor);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Flush(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
