using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    // Activation functions.
    public partial class Tensor
    {
        public Tensor celu() => Op.T("celu", this);
        public Tensor celu(Scalar alpha) => Op.T("celu", this, alpha);
        public Tensor elu(Scalar alpha, Scalar scale, Scalar input_scale) => Op.T("elu", this, alpha, scale, input_scale);
        public Tensor elu(double alpha = 1) => Op.T("elu", this, alpha);
        public Tensor gelu() => Op.T("gelu", this);
        public Tensor glu(long dim = -1) => Op.T("glu", this, dim);
        public Tensor hardsigmoid() => Op.T("hardsigmoid", this);
        public Tensor hardswish() => Op.T("hardswish", this);
        public Tensor hardtanh(Scalar min, Scalar max) => Op.T("hardtanh", this, min, max);
        public Tensor leaky_relu(Scalar negative_slope) => Op.T("leaky_relu", this, negative_slope);

        public Tensor leaky_relu_(Scalar negative_slope)
        {
            Op.Void("leaky_relu_", this, negative_slope);
            return this;
        }

        public Tensor log_sigmoid() => Op.T("log_sigmoid", this);
        public Tensor log_softmax(long dim, ScalarType? dtype = null) => Op.T("log_softmax.int", this, dim, dtype);
        public Tensor prelu(Tensor target) => Op.T("prelu", this, target);
        public Tensor relu() => Op.T("relu", this);

        public Tensor relu_()
        {
            Op.Void("relu_", this);
            return this;
        }

        public Tensor relu6() => Op.T("relu6", this);
        public Tensor selu() => Op.T("selu", this);
        public Tensor silu() => Op.T("silu", this);

        public Tensor silu_()
        {
            Op.Void("silu_", this);
            return this;
        }

        public Tensor softmax(long dim, ScalarType? dtype = null) => Op.T("softmax.int", this, dim, dtype);
        public Tensor softplus(double beta = 1, double threshold = 20) => Op.T("softplus", this, beta, threshold);
        public Tensor threshold(Scalar threshold, Scalar value) => Op.T("threshold", this, threshold, value);

        public Tensor threshold_(Scalar threshold, Scalar value)
        {
            Op.Void("threshold_", this, threshold, value);
            return this;
        }
    }
}
