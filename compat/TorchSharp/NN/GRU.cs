using System.Globalization;
using TorchSharp.Interop;
using static TorchSharp.torch;

namespace TorchSharp.Modules
{
    /// <summary>Gated recurrent units in layers.</summary>
    public sealed class GRU : nn.Module<Tensor, Tensor, (Tensor, Tensor)>
    {
        private readonly long hidden;
        private readonly long layers;
        private readonly bool biased;
        private readonly bool batchFirst;
        private readonly bool bidirectional;
        private readonly double dropout;

        internal GRU(long inputSize, long hiddenSize, long numLayers, bool bias, bool batchFirst, double dropout, bool bidirectional, Device? device, ScalarType? dtype)
            : base(nameof(GRU))
        {
            hidden = hiddenSize;
            layers = numLayers;
            biased = bias;
            this.batchFirst = batchFirst;
            this.dropout = dropout;
            this.bidirectional = bidirectional;
            var bound = hiddenSize > 0 ? 1 / Math.Sqrt(hiddenSize) : 0;
            for (var layer = 0L; layer < numLayers; layer++)
            {
                var width = layer == 0 ? inputSize : hiddenSize * (bidirectional ? 2 : 1);
                foreach (var suffix in bidirectional ? new[] { "", "_reverse" } : [""])
                {
                    var place = layer.ToString(CultureInfo.InvariantCulture) + suffix;
                    Add($"weight_ih_l{place}", 3 * hiddenSize, width);
                    Add($"weight_hh_l{place}", 3 * hiddenSize, hiddenSize);
                    if (bias)
                    {
                        Add($"bias_ih_l{place}", 3 * hiddenSize);
                        Add($"bias_hh_l{place}", 3 * hiddenSize);
                    }
                }
            }

            void Add(string name, params long[] shape)
            {
                var parameter = empty(shape, dtype, device).AsParameter();
                parameter.DetachFromDisposeScope();
                register_parameter(name, (Parameter)nn.init.uniform_(parameter, -bound, bound));
            }
        }

        /// <summary>Output [length, batch, hidden] (batch first if so made) and the last hidden states [layers, batch, hidden].</summary>
        public override (Tensor, Tensor) forward(Tensor input, Tensor h0 = null!)
        {
            using var scope = NewDisposeScope();
            h0 ??= zeros([layers * (bidirectional ? 2 : 1), input.shape[batchFirst ? 0 : 1], hidden], input.dtype, input.device);
            var weights = _internal_params.Values.Cast<Tensor>().ToArray();
            var (output, last) = Op.T2("gru.input", input, h0, weights, biased, layers, dropout, training, bidirectional, batchFirst);
            return scope.MoveToOuter(output, last);
        }

        public new (Tensor, Tensor) call(Tensor input, Tensor h0 = null!) => base.call(input, h0);

        public void flatten_parameters()
        {
        }
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.GRU GRU(long inputSize, long hiddenSize, long numLayers = 1, bool bias = true, bool batchFirst = false, double dropout = 0, bool bidirectional = false, Device? device = null, ScalarType? dtype = null) => new(inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional, device, dtype);

            public static partial class utils
            {
                public static class rnn
                {
                    /// <summary>Sequences of different lengths in one tensor, padded at the end: [longest, count, ...] or, batch first, [count, longest, ...].</summary>
                    public static Tensor pad_sequence(IEnumerable<Tensor> sequences, bool batch_first = false, double padding_value = 0) =>
                        Op.T("pad_sequence", sequences.ToArray(), batch_first, padding_value);
                }
            }
        }
    }
}
