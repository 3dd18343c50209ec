using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    // Gather, scatter and in-place writes.
    public partial class Tensor
    {
        public Tensor gather(long dim, Tensor index) => Op.T("gather", this, dim, index);
        public Tensor index_add(long dim, Tensor index, Tensor source, Scalar alpha) => Op.T("index_add", this, dim, index, source, alpha);

        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar alpha)
        {
            Op.Void("index_add_", this, dim, index, source, alpha);
            return this;
        }

        public Tensor index_copy(long dim, Tensor index, Tensor source) => Op.T("index_copy", this, dim, index, source);

        public Tensor index_copy_(long dim, Tensor index, Tensor source)
        {
            Op.Void("index_copy_", this, dim, index, source);
            return this;
        }

        public Tensor index_fill(long dim, Tensor index, Scalar value) => Op.T("index_fill.int_Scalar", this, dim, index, value);

        public Tensor index_fill_(long dim, Tensor index, Scalar value)
        {
            Op.Void("index_fill_.int_Scalar", this, dim, index, value);
            return this;
        }

        public Tensor index_select(long dim, Tensor index) => Op.T("index_select", this, dim, index);
        public Tensor masked_fill(Tensor mask, Scalar value) => Op.T("masked_fill.Scalar", this, mask, value);

        public Tensor masked_fill_(Tensor mask, Scalar value)
        {
            Op.Void("masked_fill_.Scalar", this, mask, value);
            return this;
        }

        public Tensor masked_scatter(Tensor mask, Tensor value) => Op.T("masked_scatter", this, mask, value);

        public Tensor masked_scatter_(Tensor mask, Tensor value)
        {
            Op.Void("masked_scatter_", this, mask, value);
            return this;
        }

        public Tensor masked_select(Tensor mask) => Op.T("masked_select", this, mask);
        public Tensor nonzero() => Op.T("nonzero", this);
        public Tensor scatter(long dim, Tensor index, Tensor src) => Op.T("scatter.src", this, dim, index, src);

        public Tensor scatter_(long dim, Tensor index, Tensor src)
        {
            Op.Void("scatter_.src", this, dim, index, src);
            return this;
        }

        public Tensor scatter_add(long dim, Tensor index, Tensor src) => Op.T("scatter_add", this, dim, index, src);

        public Tensor scatter_add_(long dim, Tensor index, Tensor src)
        {
            Op.Void("scatter_add_", this, dim, index, src);
            return this;
        }

        public Tensor take(Tensor index) => Op.T("take", this, index);
        public Tensor take_along_dim(IEnumerable<long> indices) => Op.T("take_along_dim", this, tensor(indices.ToArray()));
        public Tensor take_along_dim(IEnumerable<long> indices, long dim) => Op.T("take_along_dim", this, tensor(indices.ToArray()), dim);
        public Tensor take_along_dim(Tensor indices) => Op.T("take_along_dim", this, indices);
        public Tensor take_along_dim(Tensor indices, long dim) => Op.T("take_along_dim", this, indices, dim);

        public Tensor fill_(Scalar value)
        {
            Op.Void("fill_.Scalar", this, value);
            return this;
        }

        public Tensor zero_()
        {
            Op.Void("zero_", this);
            return this;
        }

        public Tensor set_(Tensor source)
        {
            Op.Void("set_.source_Tensor", this, source);
            return this;
        }
    }
}
