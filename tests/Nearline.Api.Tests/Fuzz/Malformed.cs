using System.Buffers.Binary;
using System.IO.Compression;
using Google.Protobuf;
using Nearline.Api.Tests.Support;
using Nearline.Contracts.Candidates.V1;

namespace Nearline.Api.Tests.Fuzz;

/// <summary>Makes messages that are wrong, each with the codes that are right for it.</summary>
internal sealed class Malformed(Random random, string authority)
{
    private const string Get = "/nearline.candidates.v1.CandidateService/GetCandidates";
    private const string Ok = "grpc 0";
    private const string InvalidArgument = "grpc 3";
    private const string NotFound = "grpc 5";
    private const string Exhausted = "grpc 8";
    private const string Unimplemented = "grpc 12";
    private const string Internal = "grpc 13";

    private static readonly byte[] Bomb = Gzip(new byte[8 * 1024 * 1024]);
    private static readonly string[] Methods = ["GetCandidates", "MultiGetCandidates", "WatchCandidates", "ExplainCandidate", "ListScenarios"];
    private static readonly string[] Encodings = ["br", "zstd", "snappy", "GZIP", "gzip,br", "x"];
    private static readonly string[] Timeouts = ["", "x", "-1S", "1", "999999999S", "1Q", "1.5S", "99999999H"];

    public static IReadOnlyList<string> Kinds { get; } =
    [
        "random bytes", "length too short", "length too long", "length past the limit", "bad flag", "unknown compression",
        "compression unnamed", "no gzip at all", "gzip bomb", "truncated protobuf", "flipped bits", "giant string",
        "invalid UTF-8", "too many entries", "deep nesting", "no such method", "no message", "bad timeout", "no gRPC",
    ];

    /// <summary>A request of that kind.</summary>
    public Case Of(string kind)
    {
        switch (kind)
        {
            case "random bytes":
                return new(Headers(), Bytes(random.Next(300)), [InvalidArgument, Exhausted, Internal, NotFound]);
            case "length too short":
                var valid = Valid();
                return new(Headers(), Frame(valid, length: (uint)random.Next(valid.Length)), [Internal, InvalidArgument]);
            case "length too long":
                return new(Headers(), Frame(Valid(), length: (uint)random.Next(1000, 1_000_000)), [Internal]);
            case "length past the limit":
                // A length past what a framework can count is a broken frame, not a long message.
                var length = (uint)random.NextInt64(5_000_000, uint.MaxValue);
                return new(Headers(), Frame(Valid(), length: length), length <= int.MaxValue ? [Exhausted] : [Exhausted, InvalidArgument]);
            case "bad flag":
                return new(Headers(), Frame(Valid(), flag: (byte)random.Next(2, 256)), [Internal, InvalidArgument]);
            case "unknown compression":
                return new(Headers(("grpc-encoding", Encodings[random.Next(Encodings.Length)])), Frame(Valid(), flag: 1), [Unimplemented, "http 400"]);
            case "compression unnamed":
                return new(Headers(), Frame(Valid(), flag: 1), [Internal]);
            case "no gzip at all":
                return new(Headers(("grpc-encoding", "gzip")), Frame(Bytes(random.Next(1, 200)), flag: 1), [InvalidArgument, Internal]);
            case "gzip bomb":
                return new(Headers(("grpc-encoding", "gzip")), Frame(Bomb, flag: 1), [Exhausted]);
            case "truncated protobuf":
                var whole = Valid();
                return new(Headers(), Frame(whole[..random.Next(1, whole.Length)]), [InvalidArgument, Ok, NotFound]);
            case "flipped bits":
                var flipped = Valid();
                for (var i = random.Next(1, 6); i > 0; i--)
                {
                    flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
                }

                return new(Headers(), Frame(flipped), [InvalidArgument, Ok, NotFound]);
            case "giant string":
                var giant = new GetCandidatesRequest { UserId = new string('u', random.Next(257, 12_000)), Scenario = Seeder.Home };
                return new(Headers(), Frame(giant.ToByteArray()), [InvalidArgument]);
            case "invalid UTF-8":
                // Field 1, five bytes that are no text, then the scenario.
                return new(Headers(), Frame([0x0a, 5, 0xff, 0xfe, 0x80, 0xc0, 0xaf, 0x12, 4, .. "home"u8]), [InvalidArgument]);
            case "too many entries":
                var many = new GetCandidatesRequest { UserId = "u", Scenario = Seeder.Home };
                many.ExcludeItemIds.AddRange(Enumerable.Repeat("x", random.Next(1001, 3000)));
                return new(Headers(), Frame(many.ToByteArray()), [InvalidArgument]);
            case "deep nesting":
                // Groups within groups, past what a parser may follow.
                return new(Headers(), Frame([.. Enumerable.Repeat((byte)0x7b, 5000)]), [InvalidArgument]);
            case "no such method":
                var path = random.Next(2) == 0 ? $"/nearline.candidates.v1.CandidateService/{random.Next()}" : $"/a{random.Next()}.B/C";
                return new(Headers(path), Frame(Valid()), [Unimplemented]);
            case "no message":
                return new(Headers(), [], [Internal]);
            case "bad timeout":
                return new(Headers(("grpc-timeout", Timeouts[random.Next(Timeouts.Length)])), Frame(Bytes(3)), [InvalidArgument, Internal, NotFound, "http 400"]);
            case "no gRPC":
                return new(Hpack.Encode([.. Base(Get, random.Next(2) == 0 ? "GET" : "POST"), ("content-type", "text/html")]), [], ["http 415", "http 405"]);
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "unknown");
        }
    }

    /// <summary>A request that is right.</summary>
    public Case Good(string user) => new(
        Headers(), Frame(new GetCandidatesRequest { UserId = user, Scenario = Seeder.Home }.ToByteArray()), [Ok]);

    public byte[] Headers(params (string, string)[] more) => Hpack.Encode([.. Base(Get), ("content-type", "application/grpc"), .. more]);

    private byte[] Headers(string path) => Hpack.Encode([.. Base(path), ("content-type", "application/grpc")]);

    private (string, string)[] Base(string path, string method = "POST") =>
        [(":method", method), (":scheme", "http"), (":path", path), (":authority", authority), ("te", "trailers")];

    private static byte[] Frame(byte[] payload, byte flag = 0, uint? length = null)
    {
        var frame = new byte[payload.Length + 5];
        frame[0] = flag;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), length ?? (uint)payload.Length);
        payload.CopyTo(frame, 5);
        return frame;
    }

    private static byte[] Gzip(byte[] plain)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.SmallestSize))
        {
            gzip.Write(plain);
        }

        return output.ToArray();
    }

    private static byte[] Valid() => new GetCandidatesRequest
    {
        UserId = "fuzz-user",
        Scenario = Seeder.Home,
        Limit = 20,
        ExcludeItemIds = { "home-1", "home-2" },
        MaxAge = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMinutes(5)),
        Variant = "bold",
    }.ToByteArray();

    private byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>A request and what may come of it.</summary>
    internal sealed record Case(byte[] Headers, byte[] Body, string[] Right);
}
