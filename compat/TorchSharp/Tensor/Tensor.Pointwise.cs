using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    // Element-wise arithmetic and functions.
    public partial class Tensor
    {
        public Tensor abs() => Op.T("abs", this);

        public Tensor abs_()
        {
            Op.Void("abs_", this);
            return this;
        }

        public Tensor absolute() => Op.T("absolute", this);
        public Tensor acos() => Op.T("acos", this);

        public Tensor acos_()
        {
            Op.Void("acos_", this);
            return this;
        }

        public Tensor acosh() => Op.T("acosh", this);
        public Tensor asin() => Op.T("asin", this);

        public Tensor asin_()
        {
            Op.Void("asin_", this);
            return this;
        }

        public Tensor asinh() => Op.T("asinh", this);
        public Tensor atan() => Op.T("atan", this);

        public Tensor atan_()
        {
            Op.Void("atan_", this);
            return this;
        }

        public Tensor atan2(Tensor other) => Op.T("atan2", this, other);

        public Tensor atan2_(Tensor other)
        {
            Op.Void("atan2_", this, other);
            return this;
        }

        public Tensor atanh() => Op.T("atanh", this);
        public Tensor add(Scalar scalar) => Op.T("add.Scalar", this, scalar);
        public Tensor add(Scalar scalar, Scalar alpha) => Op.T("add.Scalar", this, scalar, alpha);
        public Tensor add(Tensor target) => Op.T("add.Tensor", this, target);
        public Tensor add(Tensor target, Scalar alpha) => Op.T("add.Tensor", this, target, alpha);

        public Tensor add_(Scalar scalar)
        {
            Op.Void("add_.Scalar", this, scalar);
            return this;
        }

        public Tensor add_(Scalar scalar, Scalar alpha)
        {
            Op.Void("add_.Scalar", this, scalar, alpha);
            return this;
        }

        public Tensor add_(Tensor target)
        {
            Op.Void("add_.Tensor", this, target);
            return this;
        }

        public Tensor add_(Tensor target, Scalar alpha)
        {
            Op.Void("add_.Tensor", this, target, alpha);
            return this;
        }

        public Tensor addcdiv(Tensor tensor1, Tensor tensor2) => Op.T("addcdiv", this, tensor1, tensor2);
        public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar value) => Op.T("addcdiv", this, tensor1, tensor2, value);

        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2)
        {
            Op.Void("addcdiv_", this, tensor1, tensor2);
            return this;
        }

        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value)
        {
            Op.Void("addcdiv_", this, tensor1, tensor2, value);
            return this;
        }

        public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar value) => Op.T("addcmul", this, tensor1, tensor2, value);

        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value)
        {
            Op.Void("addcmul_", this, tensor1, tensor2, value);
            return this;
        }

        public Tensor bitwise_and(Tensor other) => Op.T("bitwise_and.Tensor", this, other);

        public Tensor bitwise_and_(Tensor other)
        {
            Op.Void("bitwise_and_.Tensor", this, other);
            return this;
        }

        public Tensor bitwise_not() => Op.T("bitwise_not", this);

        public Tensor bitwise_not_()
        {
            Op.Void("bitwise_not_", this);
            return this;
        }

        public Tensor bitwise_or(Tensor other) => Op.T("bitwise_or.Tensor", this, other);

        public Tensor bitwise_or_(Tensor other)
        {
            Op.Void("bitwise_or_.Tensor", this, other);
            return this;
        }

        public Tensor bitwise_xor(Tensor other) => Op.T("bitwise_xor.Tensor", this, other);

        public Tensor bitwise_xor_(Tensor other)
        {
            Op.Void("bitwise_xor_.Tensor", this, other);
            return this;
        }

        public Tensor bitwise_left_shift(Tensor other) => Op.T("bitwise_left_shift.Tensor", this, other);
        public Tensor bitwise_right_shift(Tensor other) => Op.T("bitwise_right_shift.Tensor", this, other);
        public Tensor ceil() => Op.T("ceil", this);

        public Tensor ceil_()
        {
            Op.Void("ceil_", this);
            return this;
        }

        public Tensor clamp(Scalar? min = null, Scalar? max = null) => Op.T("clamp", this, min, max);
        public Tensor clamp(Tensor? min = null, Tensor? max = null) => Op.T("clamp.Tensor", this, min, max);

        public Tensor clamp_(Scalar? min = null, Scalar? max = null)
        {
            Op.Void("clamp_", this, min, max);
            return this;
        }

        public Tensor clamp_(Tensor? min = null, Tensor? max = null)
        {
            Op.Void("clamp_.Tensor", this, min, max);
            return this;
        }

        public Tensor clamp_max(Scalar max) => Op.T("clamp_max", this, max);

        public Tensor clamp_max_(Scalar max)
        {
            Op.Void("clamp_max_", this, max);
            return this;
        }

        public Tensor clamp_min(Scalar min) => Op.T("clamp_min", this, min);

        public Tensor clamp_min_(Scalar min)
        {
            Op.Void("clamp_min_", this, min);
            return this;
        }

        public Tensor clip(Scalar? min = null, Scalar? max = null) => Op.T("clip", this, min, max);
        public Tensor copysign(Tensor other) => Op.T("copysign.Tensor", this, other);
        public Tensor cos() => Op.T("cos", this);

        public Tensor cos_()
        {
            Op.Void("cos_", this);
            return this;
        }

        public Tensor cosh() => Op.T("cosh", this);

        public Tensor cosh_()
        {
            Op.Void("cosh_", this);
            return this;
        }

        public Tensor deg2rad() => Op.T("deg2rad", this);
        public Tensor digamma() => Op.T("digamma", this);
        public Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => Op.T("div.Scalar_mode", this, target, Rounding(rounding_mode));
        public Tensor div(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => Op.T("div.Tensor_mode", this, target, Rounding(rounding_mode));

        public Tensor div_(Scalar target, RoundingMode rounding_mode = RoundingMode.None)
        {
            Op.Void("div_.Scalar_mode", this, target, Rounding(rounding_mode));
            return this;
        }

        public Tensor div_(Tensor target, RoundingMode rounding_mode = RoundingMode.None)
        {
            Op.Void("div_.Tensor_mode", this, target, Rounding(rounding_mode));
            return this;
        }

        public Tensor divide(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => Op.T("div.Scalar_mode", this, target, Rounding(rounding_mode));
        public Tensor divide(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => Op.T("div.Tensor_mode", this, target, Rounding(rounding_mode));

        public Tensor divide_(Scalar target, RoundingMode rounding_mode = RoundingMode.None)
        {
            Op.Void("div_.Scalar_mode", this, target, Rounding(rounding_mode));
            return this;
        }

        public Tensor divide_(Tensor target, RoundingMode rounding_mode = RoundingMode.None)
        {
            Op.Void("div_.Tensor_mode", this, target, Rounding(rounding_mode));
            return this;
        }

        public Tensor erf() => Op.T("erf", this);

        public Tensor erf_()
        {
            Op.Void("erf_", this);
            return this;
        }

        public Tensor erfc() => Op.T("erfc", this);

        public Tensor erfc_()
        {
            Op.Void("erfc_", this);
            return this;
        }

        public Tensor erfinv() => Op.T("erfinv", this);

        public Tensor erfinv_()
        {
            Op.Void("erfinv_", this);
            return this;
        }

        public Tensor exp() => Op.T("exp", this);

        public Tensor exp_()
        {
            Op.Void("exp_", this);
            return this;
        }

        public Tensor exp2() => Op.T("exp2", this);
        public Tensor expm1() => Op.T("expm1", this);

        public Tensor expm1_()
        {
            Op.Void("expm1_", this);
            return this;
        }

        public Tensor fix() => Op.T("fix", this);

        public Tensor fix_()
        {
            Op.Void("fix_", this);
            return this;
        }

        public Tensor float_power(Tensor target) => Op.T("float_power.Tensor_Tensor", this, target);
        public Tensor floor() => Op.T("floor", this);

        public Tensor floor_()
        {
            Op.Void("floor_", this);
            return this;
        }

        public Tensor floor_divide(Scalar other) => Op.T("floor_divide.Scalar", this, other);
        public Tensor floor_divide(Tensor other) => Op.T("floor_divide", this, other);

        public Tensor floor_divide_(Scalar other)
        {
            Op.Void("floor_divide_.Scalar", this, other);
            return this;
        }

        public Tensor floor_divide_(Tensor other)
        {
            Op.Void("floor_divide_.Tensor", this, other);
            return this;
        }

        public Tensor fmax(Tensor other) => Op.T("fmax", this, other);
        public Tensor fmin(Tensor other) => Op.T("fmin", this, other);
        public Tensor fmod(Scalar scalar) => Op.T("fmod.Scalar", this, scalar);
        public Tensor fmod(Tensor target) => Op.T("fmod.Tensor", this, target);

        public Tensor fmod_(Scalar scalar)
        {
            Op.Void("fmod_.Scalar", this, scalar);
            return this;
        }

        public Tensor fmod_(Tensor target)
        {
            Op.Void("fmod_.Tensor", this, target);
            return this;
        }

        public Tensor frac() => Op.T("frac", this);

        public Tensor frac_()
        {
            Op.Void("frac_", this);
            return this;
        }

        public Tensor gcd(Tensor other) => Op.T("gcd", this, other);
        public Tensor hypot(Tensor other) => Op.T("hypot", this, other);
        public Tensor i0() => Op.T("i0", this);
        public Tensor lcm(Tensor other) => Op.T("lcm", this, other);
        public Tensor ldexp(Tensor other) => Op.T("ldexp.Tensor", this, other);
        public Tensor lerp(Tensor end, Tensor weight) => Op.T("lerp.Tensor", this, end, weight);

        public Tensor lerp_(Tensor end, Tensor weight)
        {
            Op.Void("lerp_.Tensor", this, end, weight);
            return this;
        }

        public Tensor lgamma() => Op.T("lgamma", this);

        public Tensor lgamma_()
        {
            Op.Void("lgamma_", this);
            return this;
        }

        public Tensor log() => Op.T("log", this);

        public Tensor log_()
        {
            Op.Void("log_", this);
            return this;
        }

        public Tensor log10() => Op.T("log10", this);

        public Tensor log10_()
        {
            Op.Void("log10_", this);
            return this;
        }

        public Tensor log1p() => Op.T("log1p", this);

        public Tensor log1p_()
        {
            Op.Void("log1p_", this);
            return this;
        }

        public Tensor log2() => Op.T("log2", this);

        public Tensor log2_()
        {
            Op.Void("log2_", this);
            return this;
        }

        public Tensor logaddexp(Tensor other) => Op.T("logaddexp", this, other);
        public Tensor logaddexp2(Tensor other) => Op.T("logaddexp2", this, other);
        public Tensor logit(double? eps = null) => Op.T("logit", this, eps);
        public Tensor maximum(Tensor other) => Op.T("maximum", this, other);
        public Tensor minimum(Tensor other) => Op.T("minimum", this, other);
        public Tensor mul(Scalar target) => Op.T("mul.Scalar", this, target);
        public Tensor mul(Tensor target) => Op.T("mul.Tensor", this, target);

        public Tensor mul_(Scalar target)
        {
            Op.Void("mul_.Scalar", this, target);
            return this;
        }

        public Tensor mul_(Tensor target)
        {
            Op.Void("mul_.Tensor", this, target);
            return this;
        }

        public Tensor multiply(Scalar target) => Op.T("multiply.Scalar", this, target);
        public Tensor multiply(Tensor target) => Op.T("multiply.Tensor", this, target);
        public Tensor nan_to_num(double nan = 0, double? posinf = null, double? neginf = null) => Op.T("nan_to_num", this, nan, posinf, neginf);
        public Tensor neg() => Op.T("neg", this);

        public Tensor neg_()
        {
            Op.Void("neg_", this);
            return this;
        }

        public Tensor negative() => Op.T("negative", this);
        public Tensor nextafter(Tensor other) => Op.T("nextafter", this, other);
        public Tensor positive() => Op.T("positive", this);
        public Tensor pow(Scalar exponent) => Op.T("pow.Tensor_Scalar", this, exponent);
        public Tensor pow(Tensor exponent) => Op.T("pow.Tensor_Tensor", this, exponent);

        public Tensor pow_(Scalar exponent)
        {
            Op.Void("pow_.Scalar", this, exponent);
            return this;
        }

        public Tensor pow_(Tensor exponent)
        {
            Op.Void("pow_.Tensor", this, exponent);
            return this;
        }

        public Tensor rad2deg() => Op.T("rad2deg", this);
        public Tensor reciprocal() => Op.T("reciprocal", this);

        public Tensor reciprocal_()
        {
            Op.Void("reciprocal_", this);
            return this;
        }

        public Tensor remainder(Scalar scalar) => Op.T("remainder.Scalar", this, scalar);
        public Tensor remainder(Tensor target) => Op.T("remainder.Tensor", this, target);

        public Tensor remainder_(Scalar scalar)
        {
            Op.Void("remainder_.Scalar", this, scalar);
            return this;
        }

        public Tensor remainder_(Tensor target)
        {
            Op.Void("remainder_.Tensor", this, target);
            return this;
        }

        public Tensor round(long decimals = 0) => Op.T("round.decimals", this, decimals);

        public Tensor round_(long decimals = 0)
        {
            Op.Void("round_.decimals", this, decimals);
            return this;
        }

        public Tensor rsqrt() => Op.T("rsqrt", this);

        public Tensor rsqrt_()
        {
            Op.Void("rsqrt_", this);
            return this;
        }

        public Tensor sgn() => Op.T("sgn", this);
        public Tensor sign() => Op.T("sign", this);

        public Tensor sign_()
        {
            Op.Void("sign_", this);
            return this;
        }

        public Tensor signbit() => Op.T("signbit", this);
        public Tensor sigmoid() => Op.T("sigmoid", this);

        public Tensor sigmoid_()
        {
            Op.Void("sigmoid_", this);
            return this;
        }

        public Tensor sin() => Op.T("sin", this);

        public Tensor sin_()
        {
            Op.Void("sin_", this);
            return this;
        }

        public Tensor sinc() => Op.T("sinc", this);
        public Tensor sinh() => Op.T("sinh", this);

        public Tensor sinh_()
        {
            Op.Void("sinh_", this);
            return this;
        }

        public Tensor sqrt() => Op.T("sqrt", this);

        public Tensor sqrt_()
        {
            Op.Void("sqrt_", this);
            return this;
        }

        public Tensor square() => Op.T("square", this);
        public Tensor sub(Scalar target) => Op.T("sub.Scalar", this, target);
        public Tensor sub(Tensor target) => Op.T("sub.Tensor", this, target);

        public Tensor sub_(Scalar target)
        {
            Op.Void("sub_.Scalar", this, target);
            return this;
        }

        public Tensor sub_(Tensor target)
        {
            Op.Void("sub_.Tensor", this, target);
            return this;
        }

        public Tensor subtract(Scalar target) => Op.T("subtract.Scalar", this, target);
        public Tensor subtract(Tensor target) => Op.T("subtract.Tensor", this, target);

        public Tensor subtract_(Scalar target)
        {
            Op.Void("subtract_.Scalar", this, target);
            return this;
        }

        public Tensor subtract_(Tensor target)
        {
            Op.Void("subtract_.Tensor", this, target);
            return this;
        }

        public Tensor tan() => Op.T("tan", this);

        public Tensor tan_()
        {
            Op.Void("tan_", this);
            return this;
        }

        public Tensor tanh() => Op.T("tanh", this);

        public Tensor tanh_()
        {
            Op.Void("tanh_", this);
            return this;
        }

        public Tensor true_divide(Scalar other) => Op.T("true_divide.Scalar", this, other);
        public Tensor true_divide(Tensor other) => Op.T("true_divide.Tensor", this, other);

        public Tensor true_divide_(Scalar other)
        {
            Op.Void("true_divide_.Scalar", this, other);
            return this;
        }

        public Tensor true_divide_(Tensor other)
        {
            Op.Void("true_divide_.Tensor", this, other);
            return this;
        }

        public Tensor trunc() => Op.T("trunc", this);

        public Tensor trunc_()
        {
            Op.Void("trunc_", this);
            return this;
        }

        public Tensor xlogy(Scalar y) => Op.T("xlogy.Scalar_Other", this, y);
        public Tensor xlogy(Tensor y) => Op.T("xlogy.Tensor", this, y);

        public Tensor xlogy_(Scalar y)
        {
            Op.Void("xlogy_.Scalar_Other", this, y);
            return this;
        }

        public Tensor xlogy_(Tensor y)
        {
            Op.Void("xlogy_.Tensor", this, y);
            return this;
        }

        public Tensor heaviside(Tensor other) => Op.T("heaviside", this, other);
    }
}
