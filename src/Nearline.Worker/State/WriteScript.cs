using System.Security.Cryptography;
using System.Text;

namespace Nearline.Worker.State;

/// <summary>The atomic write of one user, in Lua; runs on Redis and on Garnet with <c>--lua</c>.</summary>
internal static class WriteScript
{
    /// <summary>
    /// KEYS: state, watched, sets to write, sets to delete; all share the user's hash tag.
    /// ARGV: the first nine bytes of the state that was read (empty: none was there), state, its TTL in ms, watched
    /// (empty: delete), TTL of sets in ms, channel (empty: announce nothing), message, number of sets to write, the
    /// sets. Returns 1, or 0 when the stored state is not the one that was read: then nothing is written.
    /// </summary>
    /// <remarks>
    /// The announcement must not undo or fail the write, hence pcall: a server may refuse PUBLISH in scripts.
    /// </remarks>
    public const string Text = """
        if redis.call('GETRANGE', KEYS[1], 0, 8) ~= ARGV[1] then
          return 0
        end
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        if ARGV[4] == '' then
          redis.call('DEL', KEYS[2])
        else
          redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[3])
        end
        local sets = tonumber(ARGV[8])
        for i = 1, sets do
          redis.call('SET', KEYS[2 + i], ARGV[8 + i], 'PX', ARGV[5])
        end
        for i = 3 + sets, #KEYS do
          redis.call('DEL', KEYS[i])
        end
        if ARGV[6] ~= '' then
          redis.pcall('PUBLISH', ARGV[6], ARGV[7])
        end
        return 1
        """;

    /// <summary>What the server knows the script by.</summary>
#pragma warning disable CA5350 // Redis names scripts by SHA-1.
    public static readonly byte[] Hash = SHA1.HashData(Encoding.UTF8.GetBytes(Text));
#pragma warning restore CA5350
}
