using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch;

namespace TorchSharp.Interop;

/// <summary>
/// Calls ATen operators by name: "add.Tensor" is the overload Tensor of aten::add. Trailing arguments that are left
/// out take the defaults of the operator's schema.
/// </summary>
internal static unsafe class Op
{
    // More results than any operator has.
    private const int MaxResults = 8;

    private static readonly ConcurrentDictionary<string, nint> Operators = new(StringComparer.Ordinal);

    /// <summary>An operator with one tensor as its result.</summary>
    internal static Tensor T(string name, params ReadOnlySpan<Arg> args)
    {
        Native.Value result;
        Call(name, args, &result, 1);
        return new Tensor((nint)result.Bits);
    }

    /// <summary>An operator whose results are not wanted, such as an in-place one.</summary>
    internal static void Void(string name, params ReadOnlySpan<Arg> args) => Call(name, args, null, 0);

    internal static (Tensor, Tensor) T2(string name, params ReadOnlySpan<Arg> args)
    {
        var results = stackalloc Native.Value[2];
        Call(name, args, results, 2);
        return (Wrap(results[0]), Wrap(results[1]));
    }

    internal static (Tensor, Tensor, Tensor) T3(string name, params ReadOnlySpan<Arg> args)
    {
        var results = stackalloc Native.Value[3];
        Call(name, args, results, 3);
        return (Wrap(results[0]), Wrap(results[1]), Wrap(results[2]));
    }

    internal static (Tensor, Tensor, Tensor, Tensor) T4(string name, params ReadOnlySpan<Arg> args)
    {
        var results = stackalloc Native.Value[4];
        Call(name, args, results, 4);
        return (Wrap(results[0]), Wrap(results[1]), Wrap(results[2]), Wrap(results[3]));
    }

    internal static Tensor[] List(string name, params ReadOnlySpan<Arg> args)
    {
        Native.Value result;
        Call(name, args, &result, 1);
        var handles = (nint*)result.Bits;
        var tensors = new Tensor[result.Count];
        for (var k = 0; k < tensors.Length; k++)
        {
            tensors[k] = new Tensor(handles[k]);
        }

        return tensors;
    }

    internal static bool Bool(string name, params ReadOnlySpan<Arg> args)
    {
        Native.Value result;
        Call(name, args, &result, 1);
        return result.Bits != 0;
    }

    internal static long Int(string name, params ReadOnlySpan<Arg> args)
    {
        Native.Value result;
        Call(name, args, &result, 1);
        return result.Bits;
    }

    /// <summary>A scalar result: a number in a C# box.</summary>
    internal static Scalar Number(string name, params ReadOnlySpan<Arg> args)
    {
        Native.Value result;
        Call(name, args, &result, 1);
        return (Arg.Tags)result.Tag switch
        {
            Arg.Tags.Double => BitConverter.Int64BitsToDouble(result.Bits),
            Arg.Tags.Bool => result.Bits != 0,
            _ => result.Bits,
        };
    }

    private static Tensor? Wrap(in Native.Value value) => value.Bits == 0 ? null! : new Tensor((nint)value.Bits);

    private static nint Find(string name)
    {
        if (Operators.TryGetValue(name, out var op))
        {
            return op;
        }

        var dot = name.IndexOf('.');
        var qualified = "aten::" + (dot < 0 ? name : name[..dot]);
        var overload = dot < 0 ? "" : name[(dot + 1)..];
        fixed (byte* n = Encoding.UTF8.GetBytes(qualified + '\0'), o = Encoding.UTF8.GetBytes(overload + '\0'))
        {
            op = Native.Check(Native.ts_operator(n, o));
        }

        return Operators.GetOrAdd(name, op);
    }

    [SkipLocalsInit]
    private static void Call(string name, ReadOnlySpan<Arg> args, Native.Value* results, int capacity)
    {
        const int scratchSize = 96;
        var op = Find(name);
        var values = stackalloc Native.Value[args.Length];
        var scratch = stackalloc long[scratchSize];
        var used = 0;
        List<nint>? heap = null;
        try
        {
            for (var k = 0; k < args.Length; k++)
            {
                ref readonly var arg = ref args[k];
                values[k].Tag = (long)arg.Tag;
                values[k].Count = 0;
                switch (arg.Tag)
                {
                    case Arg.Tags.Tensor:
                        values[k].Bits = ((Tensor)arg.Object!).Handle;
                        break;
                    case Arg.Tags.Ints:
                        {
                            var ints = (long[])arg.Object!;
                            var space = Space(ints.Length, scratch, ref used, ref heap);
                            ints.CopyTo(new Span<long>(space, ints.Length));
                            values[k].Count = ints.Length;
                            values[k].Bits = (long)space;
                            break;
                        }

                    case Arg.Tags.Doubles:
                        {
                            var doubles = (double[])arg.Object!;
                            var space = Space(doubles.Length, scratch, ref used, ref heap);
                            doubles.CopyTo(new Span<double>(space, doubles.Length));
                            values[k].Count = doubles.Length;
                            values[k].Bits = (long)space;
                            break;
                        }

                    case Arg.Tags.Tensors:
                        {
                            var tensors = (Tensor?[])arg.Object!;
                            var space = Space(tensors.Length, scratch, ref used, ref heap);
                            for (var j = 0; j < tensors.Length; j++)
                            {
                                space[j] = tensors[j] is { } t ? t.Handle : 0;
                            }

                            values[k].Count = tensors.Length;
                            values[k].Bits = (long)space;
                            break;
                        }

                    case Arg.Tags.String:
                        {
                            var text = (string)arg.Object!;
                            var length = Encoding.UTF8.GetByteCount(text);
                            var space = Space((length + 7) / 8, scratch, ref used, ref heap);
                            Encoding.UTF8.GetBytes(text, new Span<byte>(space, length));
                            values[k].Count = length;
                            values[k].Bits = (long)space;
                            break;
                        }

                    case Arg.Tags.Device:
                        {
                            var device = (Device)arg.Object!;
                            values[k].Bits = (long)device.type;
                            values[k].Count = device.index;
                            break;
                        }

                    case Arg.Tags.Generator:
                        values[k].Bits = ((Generator)arg.Object!).Handle;
                        break;
                    default:
                        values[k].Bits = arg.Bits;
                        break;
                }
            }

            if (Native.ts_call(op, values, args.Length, results, capacity) < 0)
            {
                Native.Throw();
            }
        }
        finally
        {
            if (heap is not null)
            {
                foreach (var block in heap)
                {
                    NativeMemory.Free((void*)block);
                }
            }
        }

        // The native side holds the tensors itself once the call has begun; until then the caller's references must.
        for (var k = 0; k < args.Length; k++)
        {
            GC.KeepAlive(args[k].Object);
        }

        static long* Space(int count, long* scratch, ref int used, ref List<nint>? heap)
        {
            if (used + count <= scratchSize)
            {
                var place = scratch + used;
                used += count;
                return place;
            }

            var block = (long*)NativeMemory.Alloc((nuint)count, sizeof(long));
            (heap ??= []).Add((nint)block);
            return block;
        }
    }
}
