using System.Text;
using Nearline.Model.Bundles;
using Nearline.Model.Graph;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Graph;

public sealed class VectorFileTests
{
    private const string Header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    private static readonly float[] Values = [3, 0, 4, 0, -0.5f, 0];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Matrices_of_numpy_are_read_and_scaled_to_unit_length(byte version)
    {
        using var directory = new TempDirectory();
        Write(directory, Header, Bytes(Values), version);
        var vectors = NodeVectors.Read(directory["v.npy"]);
        Assert.Equal((3, 2), (vectors.Width, vectors.Ids.Count));
        Assert.Equal(["a", "b"], vectors.Ids);
        Assert.Equal([0.6f, 0, 0.8f], vectors.Row(0).ToArray());
        Assert.Equal([0, -1, 0], vectors.Row(1).ToArray());
    }

    [Fact]
    public void Half_precision_is_read()
    {
        using var directory = new TempDirectory();
        Write(directory, Header.Replace("f4", "f2", StringComparison.Ordinal), [.. Values.SelectMany(v => BitConverter.GetBytes((Half)v))]);
        Assert.Equal([0.6f, 0, 0.8f], NodeVectors.Read(directory["v.npy"]).Row(0).ToArray());

        SafeTensorsFile.Write(
            directory["v.safetensors"],
            [TensorData.Of<Half>("x", Array.ConvertAll(Values, v => (Half)v), 2, 3)],
            new Dictionary<string, string> { ["ids"] = """["a","b"]""" });
        Assert.Equal([0, -1, 0], NodeVectors.Read(directory["v.safetensors"]).Row(1).ToArray());
    }

    [Theory]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", "descr '<f8'; must be '<f4'")]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", "column by column")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", "shape (6,); must be (shows, width)")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3), }", "shape (-2, -3)")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }", "24 bytes of numbers; 2 x 4 of '<f4' need 32")]
    public void A_matrix_of_another_kind_is_refused(string header, string expected)
    {
        using var directory = new TempDirectory();
        Write(directory, header, Bytes(Values));
        Refused(directory["v.npy"], expected);
    }

    [Fact]
    public void Files_and_ids_that_do_not_fit_are_refused()
    {
        using var directory = new TempDirectory();
        Refused(directory["v.npy"], "v.npy: there is no such file");
        Refused(directory.Write("v.txt", "1 2"), "'.TXT' is not a format of vectors; use .npy or .safetensors");
        Refused(directory.Write("short.npy", "NUMPY"), "does not begin as a .npy file does");

        Write(directory, Header, Bytes(Values));
        File.Delete(directory["v.ids.txt"]);
        Refused(directory["v.npy"], "v.ids.txt: there is no such file");
        directory.Write("v.ids.txt", "a\n");
        Refused(directory["v.npy"], "v.ids.txt: 1 lines; v.npy has 2 rows");
        directory.Write("v.ids.txt", "a\na\n");
        Refused(directory["v.npy"], "ids: 'a': given twice");
        Write(directory, Header, Bytes([1, 2, 3, 4, float.NaN, 6]));
        Refused(directory["v.npy"], "NaN in column 1 of 'b'; must be finite");

        void Tensors(Dictionary<string, string> metadata, params TensorData[] tensors) =>
            SafeTensorsFile.Write(directory["v.safetensors"], tensors, metadata);
        var matrix = TensorData.Of<float>("x", Values, 2, 3);
        Tensors([], matrix);
        Refused(directory["v.safetensors"], "metadata has no 'ids'");
        Tensors(new() { ["ids"] = "a,b" }, matrix);
        Refused(directory["v.safetensors"], "metadata 'ids': must be a JSON list");
        Tensors(new() { ["ids"] = """["a"]""" }, matrix);
        Refused(directory["v.safetensors"], "metadata 'ids': 1 ids; tensor 'x' has 2 rows");
        Tensors(new() { ["ids"] = """["a","b"]""" }, matrix, TensorData.Of<float>("y", Values, 2, 3));
        Refused(directory["v.safetensors"], "2 tensors; must be one");
        Tensors(new() { ["ids"] = """["a","b"]""" }, TensorData.Of<long>("x", [1, 2], 2, 1));
        Refused(directory["v.safetensors"], "tensor 'x': I64; must be F32 or F16");
        directory.Write("v.safetensors", "no");
        Refused(directory["v.safetensors"], "v.safetensors: 2 bytes");
    }

    private static void Refused(string path, string expected) =>
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => NodeVectors.Read(path)).Message, StringComparison.Ordinal);

    private static byte[] Bytes(float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private static void Write(TempDirectory directory, string header, byte[] numbers, byte version = 1)
    {
        var text = Encoding.ASCII.GetBytes(header.PadRight(117) + "\n");
        File.WriteAllBytes(
            directory["v.npy"],
            [
                0x93, .. "NUMPY"u8, version, 0,
                .. version == 1 ? BitConverter.GetBytes((ushort)text.Length) : BitConverter.GetBytes((uint)text.Length),
                .. text, .. numbers,
            ]);
        directory.Write("v.ids.txt", "a\nb\n");
    }
}
