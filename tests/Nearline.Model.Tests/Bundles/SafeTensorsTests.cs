using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Bundles;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Bundles;

public sealed class SafeTensorsTests
{
    [Fact]
    public void Tensors_of_every_kind_and_shape_are_read_back_bit_for_bit() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            using var directory = new TempDirectory();
            var tensors = RandomTensors(new Random(seed));
            var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["format"] = "nearline", ["ü\""] = "" };
            SafeTensorsFile.Write(directory["t"], tensors, metadata);
            using var file = SafeTensorsFile.Open(directory["t"]);
            Assert.Equal(metadata, file.Metadata);
            Assert.Equal(tensors.Select(t => t.Name).Order(StringComparer.Ordinal), file.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
            foreach (var tensor in tensors)
            {
                var info = file[tensor.Name];
                Assert.Equal(tensor.Kind, info.Kind);
                Assert.Equal(tensor.Shape, info.Shape);
                Assert.Equal(0, info.Offset % Width(info.Kind));
                Assert.Equal(tensor.Bytes.ToArray(), Bytes(file, info));
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_order_of_writing_does_not_change_the_bytes()
    {
        var tensors = RandomTensors(new Random(5));
        using MemoryStream there = new(), back = new();
        SafeTensorsFile.Write(there, tensors);
        SafeTensorsFile.Write(back, tensors.AsEnumerable().Reverse());
        Assert.Equal(there.ToArray(), back.ToArray());
    }

    [Fact]
    public void A_reader_written_from_the_format_alone_agrees()
    {
        // Another implementation, so that writer and reader cannot be wrong together.
        const string Reader = """
            import json, struct, sys
            data = open(sys.argv[1], "rb").read()
            (n,) = struct.unpack("<Q", data[:8])
            header = json.loads(data[8:8 + n])
            code = {"F32": "f", "F16": "e", "I64": "q", "I32": "i", "U8": "B"}
            for name in sorted(k for k in header if k != "__metadata__"):
                t = header[name]
                begin, end = t["data_offsets"]
                raw = data[8 + n + begin:8 + n + end]
                count = len(raw) // struct.calcsize(code[t["dtype"]])
                print(name, t["dtype"], t["shape"], list(struct.unpack("<%d%s" % (count, code[t["dtype"]]), raw)))
            print(header["__metadata__"], (8 + n) % 8)
            """;
        using var directory = new TempDirectory();
        SafeTensorsFile.Write(
            directory["t"],
            [
                TensorData.Of<byte>("bytes", [1, 2, 255], 3),
                TensorData.Of<Half>("halves", [(Half)0.5f, (Half)(-2f)], 2, 1),
                TensorData.Of<float>("floats", [1.5f, -0.25f, 3f, 4f], 2, 2),
                TensorData.Of<int>("ints", [int.MinValue, int.MaxValue], 2),
                TensorData.Of<long>("longs", [long.MinValue], []),
                TensorData.Of<float>("none", [], 0, 7),
            ],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["k"] = "v" });
        directory.Write("reader.py", Reader);
        using var python = Process.Start(new ProcessStartInfo("python3", [directory["reader.py"], directory["t"]])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        var output = python.StandardOutput.ReadToEnd();
        python.WaitForExit();
        Assert.Equal(
            """
            bytes U8 [3] [1, 2, 255]
            floats F32 [2, 2] [1.5, -0.25, 3.0, 4.0]
            halves F16 [2, 1] [0.5, -2.0]
            ints I32 [2] [-2147483648, 2147483647]
            longs I64 [] [-9223372036854775808]
            none F32 [0, 7] []
            {'k': 'v'} 0

            """,
            output);
    }

    public static TheoryData<string, string> WrongHeaders() => new()
    {
        { """{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}""", "tensor 'a': dtype: \"F64\": must be one of F32, F16" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}""", "tensor 'a': data_offsets: [0, 8]: 8 bytes do not fit F32 [1]" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "tensor 'a': data_offsets: [8, 0]: must ascend" },
        { """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", "tensor 'a': data_offsets: [0, 12]: must ascend within the file's 8 bytes" },
        { """{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "tensor 'a': shape: [-2]: must be whole numbers from 0" },
        { """{"a":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,8]}}""", "tensor 'a': data_offsets" },
        { """{"a":{"dtype":"F32","shape":[4611686018427387904,0],"data_offsets":[0,8]}}""", "tensor 'a': data_offsets" },
        { """{"a":{"dtype":"F32","shape":[2]}}""", "tensor 'a': dtype, shape and data_offsets are needed" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}""", "tensor 'a': unknown field 'x'" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", "tensor 'a': data_offsets: [0]: must be [begin, end]" },
        { """{"a":[]}""", "tensor 'a': must be an object" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "4 bytes after tensor 'a', which no tensor has" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "tensor 'a': data_offsets: begins at 4, but the header ends at 0: a gap" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "tensor 'b': data_offsets: begins at 4, but tensor 'a' ends at 8: an overlap" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "header: not valid JSON" },
        { """{"__metadata__":{"a":1}}""", "__metadata__['a']: 1: must be a text" },
        { "[]", "header: must begin with '{'" },
        { "", "header: must begin with '{'" },
        { "{", "header: not valid JSON" },
    };

    [Theory]
    [MemberData(nameof(WrongHeaders))]
    public void A_header_that_does_not_fit_the_format_is_refused_by_tensor(string header, string message)
    {
        using var directory = new TempDirectory();
        WriteRaw(directory["t"], header, dataLength: 8);
        var error = Assert.Throws<SafeTensorsException>(() => SafeTensorsFile.Open(directory["t"]));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(100_000_001)]
    [InlineData(15)]
    public void A_header_length_beyond_the_file_is_refused(ulong length)
    {
        using var directory = new TempDirectory();
        var bytes = new byte[8 + 14];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        File.WriteAllBytes(directory["t"], bytes);
        var error = Assert.Throws<SafeTensorsException>(() => SafeTensorsFile.Open(directory["t"]));
        Assert.Contains($"header: length {length}: must be", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        using var directory = new TempDirectory();
        SafeTensorsFile.Write(directory["t"], [TensorData.Of<float>("a", [1, 2, 3], 3), TensorData.Of<byte>("b", [1], 1)]);
        var whole = File.ReadAllBytes(directory["t"]);
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(directory["t"], whole[..length]);
            Assert.Throws<SafeTensorsException>(() => SafeTensorsFile.Open(directory["t"]));
        }
    }

    [Fact]
    public void Asking_for_another_tensor_kind_or_shape_says_what_is_there()
    {
        using var directory = new TempDirectory();
        SafeTensorsFile.Write(directory["t"], [TensorData.Of<float>("a", [1, 2, 3, 4, 5, 6], 2, 3)]);
        using var file = SafeTensorsFile.Open(directory["t"]);
        Assert.Equal([1, 2, 3, 4, 5, 6], file.Read<float>("a", -1, 3));
        Says("no tensor 'b'; there is a", () => file.Read<float>("b"));
        Says("tensor 'a': F32 [2, 3]; must be I64", () => file.Read<long>("a"));
        Says("tensor 'a': F32 [2, 3]; must be F32 [3, 2]", () => file.Read<float>("a", 3, 2));
        Says("tensor 'a': F32 [2, 3]; must be F32 [6]", () => file.Read<float>("a", 6));
        Says("tensor 'a': 6 elements; 5 are wanted", () => file.Read("a", new float[5].AsSpan()));

        static void Says(string message, Action act) =>
            Assert.Contains(message, Assert.Throws<SafeTensorsException>(act).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_that_does_not_fit_its_shape_is_not_made()
    {
        Assert.Contains("12 bytes; F32 [2] needs 8", Assert.Throws<ArgumentException>(() => TensorData.Of<float>("a", [1, 2, 3], 2)).Message, StringComparison.Ordinal);
        Assert.Contains("[-1]", Assert.Throws<ArgumentException>(() => TensorData.Of<float>("a", [1], -1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => TensorData.Of<float>("__metadata__", [1], 1));
        Assert.Throws<NotSupportedException>(() => TensorData.Of<double>("a", [1], 1));
        Assert.Throws<ArgumentException>(() => SafeTensorsFile.Write(
            Stream.Null, [TensorData.Of<float>("a", [1], 1), TensorData.Of<byte>("a", [1], 1)]));
    }

    private static int Width(TensorKind kind) => kind switch
    {
        TensorKind.I64 => 8,
        TensorKind.F32 or TensorKind.I32 => 4,
        TensorKind.F16 => 2,
        _ => 1,
    };

    private static byte[] Bytes(SafeTensorsFile file, TensorInfo info) => info.Kind switch
    {
        TensorKind.F32 => file.Read<float>(info.Name).SelectMany(BitConverter.GetBytes).ToArray(),
        TensorKind.F16 => file.Read<Half>(info.Name).SelectMany(BitConverter.GetBytes).ToArray(),
        TensorKind.I64 => file.Read<long>(info.Name).SelectMany(BitConverter.GetBytes).ToArray(),
        TensorKind.I32 => file.Read<int>(info.Name).SelectMany(BitConverter.GetBytes).ToArray(),
        _ => file.Read<byte>(info.Name),
    };

    private static List<TensorData> RandomTensors(Random random)
    {
        var tensors = new List<TensorData>();
        for (var i = random.Next(6); i >= 0; i--)
        {
            var kind = (TensorKind)random.Next(5);
            var shape = Enumerable.Range(0, random.Next(4)).Select(_ => (long)random.Next(5)).ToArray();
            var bytes = new byte[shape.Aggregate(1L, (a, b) => a * b) * Width(kind)];
            random.NextBytes(bytes);
            tensors.Add(TensorData.Raw($"t{i}.\"ü\\", kind, bytes, shape));
        }

        return tensors;
    }

    private static void WriteRaw(string path, string header, int dataLength)
    {
        using var stream = File.Create(path);
        var json = Encoding.UTF8.GetBytes(header);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)json.Length);
        stream.Write(length);
        stream.Write(json);
        stream.Write(new byte[dataLength]);
    }
}
