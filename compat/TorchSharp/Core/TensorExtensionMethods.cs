using System.Globalization;
using System.Text;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchSharp;

public static class TensorExtensionMethods
{
    public static float ToSingle(this Tensor value) => value.ToScalar().ToSingle();
    public static double ToDouble(this Tensor value) => value.ToScalar().ToDouble();
    public static Half ToHalf(this Tensor value) => value.ToScalar().ToHalf();
    public static sbyte ToSByte(this Tensor value) => value.ToScalar().ToSByte();
    public static byte ToByte(this Tensor value) => value.ToScalar().ToByte();
    public static short ToInt16(this Tensor value) => value.ToScalar().ToInt16();
    public static int ToInt32(this Tensor value) => value.ToScalar().ToInt32();
    public static long ToInt64(this Tensor value) => value.ToScalar().ToInt64();
    public static bool ToBoolean(this Tensor value) => value.ToScalar().ToBoolean();

    public static Tensor ToTensor<T>(this T[] rawArray, long[] dimensions, bool doCopy = false, bool requires_grad = false)
    {
        var flat = from_array(rawArray, null, requires_grad: false);
        var shaped = flat.reshape(dimensions);
        flat.Dispose();
        return shaped.with_requires_grad(requires_grad);
    }

    public static Parameter AsParameter(this Tensor tensor) => new(tensor);

    public static int ElementSize(this ScalarType type) => type switch
    {
        ScalarType.Byte or ScalarType.Int8 or ScalarType.Bool => 1,
        ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Int32 or ScalarType.Float32 => 4,
        ScalarType.Int64 or ScalarType.Float64 or ScalarType.ComplexFloat32 => 8,
        ScalarType.ComplexFloat64 => 16,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type"),
    };

    public static long TotalSize(this IEnumerable<long> shape) => shape.Aggregate(1L, static (a, b) => a * b);

    public static void Save(this Tensor tensor, string location)
    {
        using var stream = File.Create(location);
        tensor.Save(stream);
    }

    public static void Save(this Tensor tensor, Stream stream)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        tensor.Save(writer);
    }

    /// <summary>Type, rank, shape, bytes: the real package's format.</summary>
    public static void Save(this Tensor tensor, BinaryWriter writer)
    {
        using var scope = NewDisposeScope();
        var here = tensor.detach().cpu().contiguous();
        writer.Write7BitEncodedInt64((int)here.dtype);
        writer.Write7BitEncodedInt64(here.ndim);
        foreach (var n in here.shape)
        {
            writer.Write7BitEncodedInt64(n);
        }

        writer.Flush();
        here.WriteBytesToStream(writer.BaseStream);
    }

    public static void Load(this Tensor tensor, BinaryReader reader, bool skip = false)
    {
        using var loaded = Load(reader, skip: false);
        if (loaded.dtype != tensor.dtype)
        {
            throw new ArgumentException($"Mismatched tensor data types while loading: the file has {loaded.dtype}, the tensor {tensor.dtype}.");
        }

        if (skip)
        {
            return;
        }

        if (!loaded.shape.AsSpan().SequenceEqual(tensor.shape))
        {
            throw new ArgumentException($"Mismatched tensor shape while loading: the file has [{string.Join(", ", loaded.shape)}], the tensor [{string.Join(", ", tensor.shape)}].");
        }

        using var quiet = no_grad();
        tensor.copy_(loaded);
    }

    public static void Load(ref Tensor tensor, BinaryReader reader, bool skip = false)
    {
        if (tensor is not null)
        {
            tensor.Load(reader, skip);
        }
        else
        {
            tensor = Load(reader, skip);
        }
    }

    public static Tensor Load(BinaryReader reader, bool skip = false)
    {
        var type = (ScalarType)reader.Read7BitEncodedInt64();
        var shape = new long[reader.Read7BitEncodedInt64()];
        for (var k = 0; k < shape.Length; k++)
        {
            shape[k] = reader.Read7BitEncodedInt64();
        }

        if (skip)
        {
            for (var left = shape.TotalSize() * type.ElementSize(); left > 0;)
            {
                var bytes = reader.ReadBytes((int)Math.Min(left, 1 << 20));
                if (bytes.Length == 0)
                {
                    throw new EndOfStreamException();
                }

                left -= bytes.Length;
            }

            return null!;
        }

        var tensor = empty(shape, type);
        tensor.ReadBytesFromStream(reader.BaseStream);
        return tensor;
    }

    public static string metastr(this Tensor tensor) => tensor.ToString(TensorStringStyle.Metadata);

    public static string str(this Tensor tensor, string? fltFormat = null, int? width = null, string? newLine = null, CultureInfo? cultureInfo = null, TensorStringStyle style = TensorStringStyle.Default) =>
        tensor.ToString(style, fltFormat, width, cultureInfo, newLine);

    public static Tensor print(this Tensor t, string fltFormat = "g5", int? width = 100, string? newLine = null, CultureInfo? cultureInfo = null, TensorStringStyle style = TensorStringStyle.Default)
    {
        Console.WriteLine(t.ToString(style, fltFormat, width, cultureInfo, newLine));
        return t;
    }
}

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>Shape, type and device; the values are in the other styles.</summary>
        public override string ToString() => $"[{string.Join("x", shape)}], type = {dtype}, device = {device}";

        public string ToString(TensorStringStyle style, string? fltFormat = null, int? width = null, CultureInfo? cultureInfo = null, string? newLine = null)
        {
            if (style == TensorStringStyle.Metadata)
            {
                return ToString();
            }

            using var scope = NewDisposeScope();
            using var quiet = no_grad();
            var values = (is_integral() ? to(ScalarType.Int64, CPU) : to(ScalarType.Float64, CPU)).contiguous();
            var text = new StringBuilder();
            var dims = shape;
            Write(text, values, dims, 0, 0, fltFormat ?? "g5", cultureInfo ?? CultureInfo.InvariantCulture, newLine ?? Environment.NewLine);
            return text.ToString();
        }

        private static void Write(StringBuilder text, Tensor values, long[] dims, int dim, long start, string format, CultureInfo culture, string newLine)
        {
            if (dim == dims.Length)
            {
                text.Append(values.dtype == ScalarType.Int64
                    ? values.ReadCpuInt64(start).ToString(culture)
                    : values.ReadCpuDouble(start).ToString(format, culture));
                return;
            }

            var step = dims[(dim + 1)..].TotalSize();
            text.Append('[');
            for (long k = 0; k < dims[dim]; k++)
            {
                if (k > 0)
                {
                    text.Append(dim == dims.Length - 1 ? " " : newLine + new string(' ', dim + 1));
                }

                Write(text, values, dims, dim + 1, start + (k * step), format, culture, newLine);
            }

            text.Append(']');
        }
    }
}
