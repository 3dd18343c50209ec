using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    // Comparisons and logic.
    public partial class Tensor
    {
        public Tensor all() => Op.T("all", this);
        public Tensor all(long dim, bool keepdim = false) => Op.T("all.dim", this, dim, keepdim);
        public Tensor any() => Op.T("any", this);
        public Tensor any(long dim, bool keepdim = false) => Op.T("any.dim", this, dim, keepdim);
        public bool allclose(Tensor target, double rtol = 1E-05, double atol = 1E-08, bool equal_nan = false) => Op.Bool("allclose", this, target, rtol, atol, equal_nan);
        public Tensor eq(Scalar target) => Op.T("eq.Scalar", this, target);
        public Tensor eq(Tensor target) => Op.T("eq.Tensor", this, target);

        public Tensor eq_(Scalar target)
        {
            Op.Void("eq_.Scalar", this, target);
            return this;
        }

        public Tensor eq_(Tensor target)
        {
            Op.Void("eq_.Tensor", this, target);
            return this;
        }

        public Tensor ge(Scalar target) => Op.T("ge.Scalar", this, target);
        public Tensor ge(Tensor target) => Op.T("ge.Tensor", this, target);

        public Tensor ge_(Scalar target)
        {
            Op.Void("ge_.Scalar", this, target);
            return this;
        }

        public Tensor ge_(Tensor target)
        {
            Op.Void("ge_.Tensor", this, target);
            return this;
        }

        public Tensor gt(Scalar target) => Op.T("gt.Scalar", this, target);
        public Tensor gt(Tensor target) => Op.T("gt.Tensor", this, target);

        public Tensor gt_(Scalar target)
        {
            Op.Void("gt_.Scalar", this, target);
            return this;
        }

        public Tensor gt_(Tensor target)
        {
            Op.Void("gt_.Tensor", this, target);
            return this;
        }

        public Tensor le(Scalar target) => Op.T("le.Scalar", this, target);
        public Tensor le(Tensor target) => Op.T("le.Tensor", this, target);

        public Tensor le_(Scalar target)
        {
            Op.Void("le_.Scalar", this, target);
            return this;
        }

        public Tensor le_(Tensor target)
        {
            Op.Void("le_.Tensor", this, target);
            return this;
        }

        public Tensor lt(Scalar target) => Op.T("lt.Scalar", this, target);
        public Tensor lt(Tensor target) => Op.T("lt.Tensor", this, target);

        public Tensor lt_(Scalar target)
        {
            Op.Void("lt_.Scalar", this, target);
            return this;
        }

        public Tensor lt_(Tensor target)
        {
            Op.Void("lt_.Tensor", this, target);
            return this;
        }

        public Tensor ne(Scalar target) => Op.T("ne.Scalar", this, target);
        public Tensor ne(Tensor target) => Op.T("ne.Tensor", this, target);

        public Tensor ne_(Scalar target)
        {
            Op.Void("ne_.Scalar", this, target);
            return this;
        }

        public Tensor ne_(Tensor target)
        {
            Op.Void("ne_.Tensor", this, target);
            return this;
        }

        public Tensor equal(Tensor target) => eq(target);
        public Tensor greater(Tensor target) => Op.T("greater.Tensor", this, target);
        public Tensor greater_equal(Tensor target) => Op.T("greater_equal.Tensor", this, target);
        public Tensor less(Tensor target) => Op.T("less.Tensor", this, target);
        public Tensor less_equal(Tensor target) => Op.T("less_equal.Tensor", this, target);
        public Tensor not_equal(Tensor target) => ne(target);
        public Tensor isclose(Tensor other, double rtol = 1E-05, double atol = 1E-08, bool nanEqual = false) => Op.T("isclose", this, other, rtol, atol, nanEqual);
        public Tensor isfinite() => Op.T("isfinite", this);
        public Tensor isin(Tensor test_elements, bool assumeUnique = false, bool invert = false) => Op.T("isin.Tensor_Tensor", this, test_elements, assumeUnique, invert);
        public Tensor isinf() => Op.T("isinf", this);
        public Tensor isnan() => Op.T("isnan", this);
        public Tensor isneginf() => Op.T("isneginf", this);
        public Tensor isposinf() => Op.T("isposinf", this);
        public Tensor isreal() => Op.T("isreal", this);
        public Tensor logical_and(Tensor other) => Op.T("logical_and", this, other);

        public Tensor logical_and_(Tensor other)
        {
            Op.Void("logical_and_", this, other);
            return this;
        }

        public Tensor logical_not() => Op.T("logical_not", this);

        public Tensor logical_not_()
        {
            Op.Void("logical_not_", this);
            return this;
        }

        public Tensor logical_or(Tensor other) => Op.T("logical_or", this, other);

        public Tensor logical_or_(Tensor other)
        {
            Op.Void("logical_or_", this, other);
            return this;
        }

        public Tensor logical_xor(Tensor other) => Op.T("logical_xor", this, other);

        public Tensor logical_xor_(Tensor other)
        {
            Op.Void("logical_xor_", this, other);
            return this;
        }

        public bool is_nonzero() => Op.Bool("is_nonzero", this);
        public Tensor where(Tensor condition, Tensor y) => Op.T("where.self", condition, this, y);
    }
}
