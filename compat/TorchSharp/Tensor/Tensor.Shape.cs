using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    // Views, shapes and joining.
    public partial class Tensor
    {
        public Tensor adjoint() => Op.T("adjoint", this);
        public Tensor argwhere() => Op.T("argwhere", this);
        public Tensor as_strided(long[] size, long[] strides, long storageOffset = 0) => Op.T("as_strided", this, size, strides, storageOffset);
        public Tensor atleast_1d() => Op.T("atleast_1d", this);
        public Tensor atleast_2d() => Op.T("atleast_2d", this);
        public Tensor atleast_3d() => Op.T("atleast_3d", this);
        public Tensor broadcast_to(params long[] shape) => Op.T("broadcast_to", this, shape);
        public Tensor[] chunk(long chunks, long dim = 0) => Op.List("chunk", this, chunks, dim);
        public Tensor diag(long diagonal = 0) => Op.T("diag", this, diagonal);
        public Tensor diag_embed(long offset = 0, long dim1 = -2, long dim2 = -1) => Op.T("diag_embed", this, offset, dim1, dim2);
        public Tensor diagflat(long offset = 0) => Op.T("diagflat", this, offset);
        public Tensor diagonal(long offset = 0, long dim1 = 0, long dim2 = 1) => Op.T("diagonal", this, offset, dim1, dim2);
        public Tensor expand(ReadOnlySpan<long> sizes, bool isImplicit = false) => Op.T("expand", this, sizes, isImplicit);
        public Tensor expand(Size sizes, bool isImplicit = false) => Op.T("expand", this, sizes, isImplicit);
        public Tensor expand(long[] sizes, bool isImplicit = false) => Op.T("expand", this, sizes, isImplicit);
        public Tensor expand(params long[] sizes) => Op.T("expand", this, sizes);
        public Tensor expand_as(Tensor other) => Op.T("expand_as", this, other);
        public Tensor flatten(long start_dim = 0, long end_dim = -1) => Op.T("flatten.using_ints", this, start_dim, end_dim);
        public Tensor flip(params long[] dims) => Op.T("flip", this, dims);
        public Tensor fliplr() => Op.T("fliplr", this);
        public Tensor flipud() => Op.T("flipud", this);
        public Tensor moveaxis(long[] source, long[] destination) => Op.T("moveaxis.intlist", this, source, destination);
        public Tensor movedim(long[] source, long[] destination) => Op.T("movedim.intlist", this, source, destination);
        public Tensor narrow(long dim, long start, long length) => Op.T("narrow", this, dim, start, length);
        public Tensor permute(IEnumerable<long> permutation) => Op.T("permute", this, permutation.ToArray());
        public Tensor permute(params long[] permutation) => Op.T("permute", this, permutation);
        public Tensor ravel() => Op.T("ravel", this);
        public Tensor repeat(params long[] sizes) => Op.T("repeat", this, sizes);
        public Tensor repeat_interleave(Tensor repeats, long? dim = null, long? output_size = null) => Op.T("repeat_interleave.self_Tensor", this, repeats, dim, output_size);
        public Tensor repeat_interleave(long repeats, long? dim = null, long? output_size = null) => Op.T("repeat_interleave.self_int", this, repeats, dim, output_size);
        public Tensor reshape(params long[] shape) => Op.T("reshape", this, shape);
        public Tensor roll((long, long) shifts, (long, long) dims) => Op.T("roll", this, new[] { shifts.Item1, shifts.Item2 }, new[] { dims.Item1, dims.Item2 });
        public Tensor roll((long, long, long) shifts, (long, long, long) dims) => Op.T("roll", this, new[] { shifts.Item1, shifts.Item2, shifts.Item3 }, new[] { dims.Item1, dims.Item2, dims.Item3 });
        public Tensor roll(ReadOnlySpan<long> shifts, ReadOnlySpan<long> dims = default) => Op.T("roll", this, shifts, dims);
        public Tensor roll(long shifts, long? dims = null) => dims is { } d ? Op.T("roll", this, shifts, d) : Op.T("roll", this, shifts);
        public Tensor roll(long[] shifts) => Op.T("roll", this, shifts);
        public Tensor roll(long[] shifts, long[] dims) => Op.T("roll", this, shifts, dims);
        public Tensor rot90(long k = 1, (long, long)? dims = null) => Op.T("rot90", this, k, dims is { } d ? new[] { d.Item1, d.Item2 } : new[] { 0L, 1L });
        public Tensor select(long dim, long index) => Op.T("select.int", this, dim, index);
        public Tensor slice(long dim, long start, long finish, long step) => Op.T("slice.Tensor", this, dim, start, finish, step);
        public Tensor[] split(ReadOnlySpan<long> sizes, long dim = 0) => Op.List("split.sizes", this, sizes, dim);
        public Tensor[] split(long size, int dim = 0) => Op.List("split.Tensor", this, size, dim);
        public Tensor[] split(long[] sizes, long dim = 0) => Op.List("split.sizes", this, sizes, dim);
        public Tensor[] split(params long[] sizes) => Op.List("split.sizes", this, sizes);
        public Tensor squeeze(long? dim = null) => dim is { } d ? Op.T("squeeze.dim", this, d) : Op.T("squeeze", this);

        public Tensor squeeze_(long? dim = null)
        {
            if (dim is { } d)
            {
                Op.Void("squeeze_.dim", this, d);
            }
            else
            {
                Op.Void("squeeze_", this);
            }

            return this;
        }

        public Tensor swapaxes(long dim0, long dim1) => Op.T("swapaxes", this, dim0, dim1);
        public Tensor swapdims(long dim0, long dim1) => Op.T("swapdims", this, dim0, dim1);
        public Tensor t() => Op.T("t", this);
        public Tensor[] tensor_split(Tensor indices, long dim = 0) => Op.List("tensor_split.tensor_indices_or_sections", this, indices, dim);
        public Tensor[] tensor_split(long size, long dim = 0) => Op.List("tensor_split.sections", this, size, dim);
        public Tensor[] tensor_split(long[] sizes, long dim = 0) => Op.List("tensor_split.indices", this, sizes, dim);
        public Tensor tile(long[] reps) => Op.T("tile", this, reps);
        public Tensor transpose(long dim0, long dim1) => Op.T("transpose.int", this, dim0, dim1);

        public Tensor transpose_(long dim0, long dim1)
        {
            Op.Void("transpose_", this, dim0, dim1);
            return this;
        }

        public Tensor tril(long diagonal = 0) => Op.T("tril", this, diagonal);

        public Tensor tril_(long diagonal = 0)
        {
            Op.Void("tril_", this, diagonal);
            return this;
        }

        public Tensor triu(long diagonal = 0) => Op.T("triu", this, diagonal);

        public Tensor triu_(long diagonal = 0)
        {
            Op.Void("triu_", this, diagonal);
            return this;
        }

        public Tensor[] unbind(long dimension = 0) => Op.List("unbind.int", this, dimension);

        public Tensor unflatten(long dim, Size sizes)
        {
            var old = shape;
            var at = Wrap((int)dim);
            return view([.. old[..at], .. sizes.Shape, .. old[(at + 1)..]]);
        }

        public Tensor unflatten(long dim, params long[] sizes)
        {
            var old = shape;
            var at = Wrap((int)dim);
            return view([.. old[..at], .. sizes, .. old[(at + 1)..]]);
        }

        public Tensor unfold(long dimension, long size, long step) => Op.T("unfold", this, dimension, size, step);
        public Tensor unsqueeze(long dim) => Op.T("unsqueeze", this, dim);

        public Tensor unsqueeze_(long dim)
        {
            Op.Void("unsqueeze_", this, dim);
            return this;
        }

        public Tensor view(params long[] shape) => Op.T("view", this, shape);
        public Tensor view_as(Tensor other) => Op.T("view_as", this, other);
        public Tensor diagonal_scatter(Tensor src, long offset = 0, long dim1 = 0, long dim2 = 1) => Op.T("diagonal_scatter", this, src, offset, dim1, dim2);
        public Tensor select_scatter(Tensor src, long dim, long index) => Op.T("select_scatter", this, src, dim, index);
        public Tensor slice_scatter(Tensor src, long dim = 0, long? start = null, long? end = null, long step = 1) => Op.T("slice_scatter", this, src, dim, start, end, step);
        public Tensor vander(long N = -1, bool increasing = false) => Op.T("vander", this, N, increasing);
    }
}
