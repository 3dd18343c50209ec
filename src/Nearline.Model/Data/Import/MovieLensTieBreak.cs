namespace Nearline.Model.Data.Import;

/// <summary>
/// Orders ratings of one time, of which MovieLens has many. The item id would not do: a sequence model learns the
/// order of ids and is rewarded for it. This hash spreads them evenly and is the same everywhere.
/// </summary>
internal static class MovieLensTieBreak
{
    public static uint Of(uint user, uint item)
    {
        unchecked
        {
            var x = (item * 2654435761u) + (user * 2246822519u);
            x = (x ^ (x >> 16)) * 0x85ebca6bu;
            x = (x ^ (x >> 13)) * 0xc2b2ae35u;
            return x ^ (x >> 16);
        }
    }
}
