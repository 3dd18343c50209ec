using System.Buffers;
using System.Collections;
using System.Text;
using Grpc.Core.Utils;

namespace Grpc.Core;

/// <summary>
/// Headers or trailers of a call, in order; a key may occur several times. Keys are ASCII and kept in lower case;
/// those that end in "-bin" have bytes as their value, all others ASCII text.
/// </summary>
public sealed class Metadata : IList<Metadata.Entry>
{
    public const string BinaryHeaderSuffix = "-bin";

    /// <summary>Shared and read-only.</summary>
    public static readonly Metadata Empty = new(isReadOnly: true);

    private readonly List<Entry> entries = [];

    public Metadata()
    {
    }

    private Metadata(bool isReadOnly) => IsReadOnly = isReadOnly;

    public int Count => entries.Count;

    public bool IsReadOnly { get; }

    public Entry this[int index]
    {
        get => entries[index];
        set
        {
            GrpcPreconditions.CheckNotNull(value);
            CheckWriteable();
            entries[index] = value;
        }
    }

    /// <summary>The last entry of that key, or null.</summary>
    public Entry? Get(string key)
    {
        for (var i = entries.Count - 1; i >= 0; i--)
        {
            if (entries[i].HasKey(key))
            {
                return entries[i];
            }
        }

        return null;
    }

    /// <summary>The text of the last entry of that key, or null.</summary>
    public string? GetValue(string key) => Get(key)?.Value;

    /// <summary>The bytes of the last entry of that key, or null.</summary>
    public byte[]? GetValueBytes(string key) => Get(key)?.ValueBytes;

    public IEnumerable<Entry> GetAll(string key)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            if (entries[i].HasKey(key))
            {
                yield return entries[i];
            }
        }
    }

    public void Add(string key, string value) => Add(new Entry(key, value));

    public void Add(string key, byte[] valueBytes) => Add(new Entry(key, valueBytes));

    public void Add(Entry item)
    {
        GrpcPreconditions.CheckNotNull(item);
        CheckWriteable();
        entries.Add(item);
    }

    public void Insert(int index, Entry item)
    {
        GrpcPreconditions.CheckNotNull(item);
        CheckWriteable();
        entries.Insert(index, item);
    }

    public bool Remove(Entry item)
    {
        CheckWriteable();
        return entries.Remove(item);
    }

    public void RemoveAt(int index)
    {
        CheckWriteable();
        entries.RemoveAt(index);
    }

    public void Clear()
    {
        CheckWriteable();
        entries.Clear();
    }

    public bool Contains(Entry item) => entries.Contains(item);

    public int IndexOf(Entry item) => entries.IndexOf(item);

    public void CopyTo(Entry[] array, int arrayIndex) => entries.CopyTo(array, arrayIndex);

    public IEnumerator<Entry> GetEnumerator() => entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => entries.GetEnumerator();

    private void CheckWriteable() => GrpcPreconditions.CheckState(!IsReadOnly, "Object is read only");

    /// <summary>One key with its value.</summary>
    public class Entry
    {
        private static readonly SearchValues<char> KeyCharacters =
            SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_-.");

        private readonly string? text;
        private readonly byte[]? bytes;

        /// <exception cref="ArgumentException">The key is not valid, or does not end in "-bin".</exception>
        public Entry(string key, byte[] valueBytes)
        {
            Key = Normalize(key);
            GrpcPreconditions.CheckArgument(
                IsBinary,
                $"Key for binary valued metadata entry needs to have suffix indicating binary value ({BinaryHeaderSuffix}).");
            bytes = (byte[])GrpcPreconditions.CheckNotNull(valueBytes, nameof(valueBytes)).Clone();
        }

        /// <exception cref="ArgumentException">The key is not valid, or ends in "-bin".</exception>
        public Entry(string key, string value)
        {
            Key = Normalize(key);
            GrpcPreconditions.CheckArgument(
                !IsBinary,
                $"Key for ASCII valued metadata entry cannot have suffix indicating binary value ({BinaryHeaderSuffix}).");
            text = GrpcPreconditions.CheckNotNull(value, nameof(value));
        }

        public string Key { get; }

        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);

        /// <exception cref="InvalidOperationException">The entry is binary.</exception>
        public string Value =>
            text ?? throw new InvalidOperationException("Cannot access string value of a binary metadata entry");

        /// <summary>A copy; of a text entry, its ASCII bytes.</summary>
        public byte[] ValueBytes => bytes is null ? Encoding.ASCII.GetBytes(text!) : (byte[])bytes.Clone();

        public override string ToString() =>
            bytes is null ? $"[Entry: key={Key}, value={text}]" : $"[Entry: key={Key}, valueBytes={bytes}]";

        internal bool HasKey(string key) => string.Equals(Key, key, StringComparison.OrdinalIgnoreCase);

        private static string Normalize(string key)
        {
            GrpcPreconditions.CheckNotNull(key, nameof(key));
            var lower = key.ToLowerInvariant();
            GrpcPreconditions.CheckArgument(
                lower.Length > 0 && !lower.AsSpan().ContainsAnyExcept(KeyCharacters),
                "Metadata entry key not valid. Keys can only contain lowercase alphanumeric characters, underscores, hyphens and dots.");
            return lower;
        }
    }
}
