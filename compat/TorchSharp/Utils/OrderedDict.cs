using System.Collections;

namespace TorchSharp.Utils;

/// <summary>A dictionary that remembers the order of insertion.</summary>
public class OrderedDict<TKey, TValue> : IDictionary<TKey, TValue>, IList<(TKey, TValue)> where TKey : notnull
{
    private readonly List<(TKey Key, TValue Value)> pairs = [];
    private readonly Dictionary<TKey, int> places = [];

    public int Count => pairs.Count;
    public bool IsReadOnly => false;
    public ICollection<TKey> Keys => pairs.ConvertAll(static p => p.Key);
    public ICollection<TValue> Values => pairs.ConvertAll(static p => p.Value);

    public TValue this[TKey key]
    {
        get => pairs[places[key]].Value;
        set
        {
            if (places.TryGetValue(key, out var place))
            {
                pairs[place] = (key, value);
            }
            else
            {
                Add(key, value);
            }
        }
    }

    public (TKey, TValue) this[int index]
    {
        get => pairs[index];
        set
        {
            RemoveAt(index);
            Insert(index, value);
        }
    }

    public void Add(TKey key, TValue value)
    {
        places.Add(key, pairs.Count);
        pairs.Add((key, value));
    }

    public void Add((TKey, TValue) item) => Add(item.Item1, item.Item2);
    public void Add(KeyValuePair<TKey, TValue> item) => Add(item.Key, item.Value);
    public bool ContainsKey(TKey key) => places.ContainsKey(key);
    public bool Contains((TKey, TValue) item) => pairs.Contains(item);
    public bool Contains(KeyValuePair<TKey, TValue> item) => pairs.Contains((item.Key, item.Value));
    public int IndexOf((TKey, TValue) item) => pairs.IndexOf(item);

    public bool TryGetValue(TKey key, out TValue value)
    {
        var found = places.TryGetValue(key, out var place);
        value = found ? pairs[place].Value : default!;
        return found;
    }

    public void Insert(int index, (TKey, TValue) item)
    {
        if (places.ContainsKey(item.Item1))
        {
            throw new ArgumentException($"'{item.Item1}' is there already.", nameof(item));
        }

        pairs.Insert(index, item);
        Renumber(index);
    }

    public void RemoveAt(int index)
    {
        places.Remove(pairs[index].Key);
        pairs.RemoveAt(index);
        Renumber(index);
    }

    public bool Remove(TKey key)
    {
        if (!places.TryGetValue(key, out var place))
        {
            return false;
        }

        RemoveAt(place);
        return true;
    }

    public bool Remove((TKey, TValue) item) => Contains(item) && Remove(item.Item1);
    public bool Remove(KeyValuePair<TKey, TValue> item) => Remove((item.Key, item.Value));

    public void Clear()
    {
        pairs.Clear();
        places.Clear();
    }

    public void clear() => Clear();
    public IEnumerable<TKey> keys() => Keys;
    public IEnumerable<TValue> values() => Values;
    public IEnumerator<(TKey, TValue)> items() => GetEnumerator();
    public void CopyTo((TKey, TValue)[] array, int arrayIndex) => pairs.CopyTo(array, arrayIndex);

    public void CopyTo(KeyValuePair<TKey, TValue>[] array, int arrayIndex)
    {
        foreach (var (key, value) in pairs)
        {
            array[arrayIndex++] = new(key, value);
        }
    }

    public IEnumerator<(TKey, TValue)> GetEnumerator() => pairs.GetEnumerator();
    IEnumerator<KeyValuePair<TKey, TValue>> IEnumerable<KeyValuePair<TKey, TValue>>.GetEnumerator() =>
        pairs.Select(static p => new KeyValuePair<TKey, TValue>(p.Key, p.Value)).GetEnumerator();
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private void Renumber(int from)
    {
        for (var k = from; k < pairs.Count; k++)
        {
            places[pairs[k].Key] = k;
        }
    }
}
