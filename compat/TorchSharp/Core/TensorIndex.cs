using System.Runtime.CompilerServices;
using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>One place of an indexing expression, as in x[.., 1:3, i].</summary>
    public struct TensorIndex
    {
        internal enum Kinds { Null, Ellipsis, None, Bool, Single, Slice, Tensor }

        internal Kinds Kind;
        internal long? Start;
        internal long? Stop;
        internal long? Step;
        internal Tensor? Index;

        public static TensorIndex Null = new() { Kind = Kinds.Null };
        public static TensorIndex None = new() { Kind = Kinds.None };
        public static TensorIndex Ellipsis = new() { Kind = Kinds.Ellipsis };
        public static TensorIndex Colon = new() { Kind = Kinds.Slice };

        public static TensorIndex Bool(bool value) => new() { Kind = Kinds.Bool, Start = value ? 1 : 0 };
        public static TensorIndex Single(long? index) => new() { Kind = Kinds.Single, Start = index };
        public static TensorIndex Tensor(Tensor tensor) => new() { Kind = Kinds.Tensor, Index = tensor };

        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null) =>
            new() { Kind = Kinds.Slice, Start = start, Stop = stop, Step = step };

        public static TensorIndex Slice((int?, int?) range) => Slice(range.Item1, range.Item2);

        public static TensorIndex Slice(Range range) => Slice(From(range.Start), range.End is { IsFromEnd: true, Value: 0 } ? null : From(range.End));

        public static implicit operator TensorIndex(long value) => Single(value);
        public static implicit operator TensorIndex(Index index) => Single(From(index));
        public static implicit operator TensorIndex(Range range) => Slice(range);
        public static implicit operator TensorIndex((int?, int?) range) => Slice(range);

        private static long From(Index index) => index.IsFromEnd ? -index.Value : index.Value;
    }

    public partial class Tensor
    {
        [IndexerName("TensorItems")]
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[params long[] indices]
        {
            get => index(Array.ConvertAll(indices, TensorIndex (i) => i));
            set => index_put_(value, Array.ConvertAll(indices, TensorIndex (i) => i));
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1]
        {
            get => Op.T("select.int", this, 0, i1);
            set => index_put_(value, (TensorIndex)i1);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2]
        {
            get => index((TensorIndex)i1, (TensorIndex)i2);
            set => index_put_(value, (TensorIndex)i1, (TensorIndex)i2);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3]
        {
            get => index((TensorIndex)i1, (TensorIndex)i2, (TensorIndex)i3);
            set => index_put_(value, (TensorIndex)i1, (TensorIndex)i2, (TensorIndex)i3);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4]
        {
            get => index((TensorIndex)i1, (TensorIndex)i2, (TensorIndex)i3, (TensorIndex)i4);
            set => index_put_(value, (TensorIndex)i1, (TensorIndex)i2, (TensorIndex)i3, (TensorIndex)i4);
        }

        public Tensor index(params TensorIndex[] indices)
        {
            var (view, tensors) = View(indices);
            if (tensors is null)
            {
                return ReferenceEquals(view, this) ? alias() : view;
            }

            var result = Op.T("index.Tensor", view, tensors);
            Release(view);
            return result;
        }

        public Tensor index(params Tensor[] indices) => Op.T("index.Tensor", this, indices);

        public Tensor index_put_(Tensor value, params TensorIndex[] indices) => index_put_(value, indices, false);

        public Tensor index_put_(Tensor value, TensorIndex[] indices, bool accumulate = false)
        {
            var (view, tensors) = View(indices);
            if (tensors is not null)
            {
                Op.Void("index_put_", view, tensors, value, accumulate);
            }
            else if (accumulate)
            {
                throw new ArgumentException("accumulate needs at least one index that is a tensor.", nameof(accumulate));
            }
            else
            {
                // Leading dimensions of size one in the value are not the target's.
                var extra = (int)(value.ndim - view.ndim);
                if (extra > 0 && value.shape.Take(extra).All(static n => n == 1))
                {
                    using var trimmed = value.reshape(value.shape[extra..]);
                    Op.Void("copy_", view, trimmed);
                }
                else
                {
                    Op.Void("copy_", view, value);
                }
            }

            Release(view);
            return this;
        }

        public Tensor index_put_(Tensor value, params Tensor[] indices) => index_put_(value, indices, false);

        public Tensor index_put_(Tensor value, Tensor[] indices, bool accumulate = false)
        {
            Op.Void("index_put_", this, indices, value, accumulate);
            return this;
        }

        public Tensor index_put_(Scalar value, params TensorIndex[] indices)
        {
            using var filled = Op.T("scalar_tensor", value, dtype, Arg.None, device);
            return index_put_(filled, indices);
        }

        public Tensor index_put_(Scalar value, params Tensor[] indices)
        {
            using var filled = Op.T("scalar_tensor", value, dtype, Arg.None, device);
            return index_put_(filled, indices);
        }

        /// <summary>
        /// Applies slices, single indices, new axes and the ellipsis as views; indices that are tensors are left, each
        /// at its dimension of the view.
        /// </summary>
        private (Tensor View, Tensor?[]? Tensors) View(TensorIndex[] indices)
        {
            var consumed = 0L;
            foreach (ref readonly var i in indices.AsSpan())
            {
                consumed += i.Kind switch
                {
                    TensorIndex.Kinds.Single or TensorIndex.Kinds.Slice => 1,
                    TensorIndex.Kinds.Tensor => i.Index!.dtype is ScalarType.Bool or ScalarType.Byte ? i.Index.ndim : 1,
                    _ => 0,
                };
            }

            var view = this;
            var dim = 0;
            List<Tensor?>? tensors = null;
            foreach (ref readonly var i in indices.AsSpan())
            {
                switch (i.Kind)
                {
                    case TensorIndex.Kinds.Single:
                        view = Step(view, Op.T("select.int", view, dim, i.Start ?? 0));
                        break;
                    case TensorIndex.Kinds.Slice:
                        if (i.Start is not null || i.Stop is not null || i.Step is not null)
                        {
                            view = Step(view, Op.T("slice.Tensor", view, dim, i.Start, i.Stop, i.Step ?? 1));
                        }

                        dim++;
                        break;
                    case TensorIndex.Kinds.Ellipsis:
                        dim += (int)(ndim - consumed);
                        break;
                    case TensorIndex.Kinds.None:
                        view = Step(view, Op.T("unsqueeze", view, dim++));
                        break;
                    case TensorIndex.Kinds.Bool:
                        view = Step(view, Op.T("unsqueeze", view, dim));
                        Put(ref tensors, dim++, Op.T("full", new long[] { 1 }, i.Start != 0, ScalarType.Bool));
                        break;
                    case TensorIndex.Kinds.Tensor when i.Index!.ndim == 0 && i.Index.dtype is not (ScalarType.Bool or ScalarType.Byte):
                        view = Step(view, Op.T("select.int", view, dim, i.Index.ToScalar().ToInt64()));
                        break;
                    case TensorIndex.Kinds.Tensor:
                        Put(ref tensors, dim, i.Index!);
                        dim += i.Index!.dtype is ScalarType.Bool or ScalarType.Byte ? (int)i.Index.ndim : 1;
                        break;
                    case TensorIndex.Kinds.Null:
                        dim++;
                        break;
                }
            }

            return (view, tensors?.ToArray());

            static void Put(ref List<Tensor?>? list, int dim, Tensor tensor)
            {
                list ??= [];
                while (list.Count < dim)
                {
                    list.Add(null);
                }

                list.Add(tensor);
            }
        }

        private Tensor Step(Tensor before, Tensor after)
        {
            Release(before, after);
            return after;
        }

        /// <summary>Frees a view made on the way; it is not the caller's to see.</summary>
        private void Release(Tensor view, Tensor? unless = null)
        {
            if (!ReferenceEquals(view, this) && !ReferenceEquals(view, unless))
            {
                view.Dispose();
            }
        }
    }
}
