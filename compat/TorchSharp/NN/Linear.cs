using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchSharp.Modules
{
    public sealed class Linear : nn.Module<Tensor, Tensor>
    {
        internal Linear(long inputSize, long outputSize, bool hasBias, Device? device, ScalarType? dtype)
            : base(nameof(Linear))
        {
            in_features = inputSize;
            out_features = outputSize;
            weight = empty(outputSize, inputSize, dtype, device).AsParameter();
            nn.init.kaiming_uniform_(weight, a: Math.Sqrt(5));
            if (hasBias)
            {
                bias = empty(outputSize, dtype, device).AsParameter();
                var bound = inputSize > 0 ? 1 / Math.Sqrt(inputSize) : 0;
                nn.init.uniform_(bias, -bound, bound);
            }
        }

        internal Linear(Parameter weight, Parameter? bias)
            : base(nameof(Linear))
        {
            in_features = weight.shape[1];
            out_features = weight.shape[0];
            this.weight = weight;
            if (bias is not null)
            {
                this.bias = bias;
            }
        }

        public long in_features { get; set; }

        public long out_features { get; set; }

        /// <summary>[out_features, in_features]</summary>
        public Parameter weight
        {
            get => _internal_params["weight"];
            set => this.Adopt("weight", value, _internal_params);
        }

        /// <summary>[out_features], or null.</summary>
        public Parameter? bias
        {
            get => _internal_params.TryGetValue("bias", out var p) ? p : null;
            set => this.Adopt("bias", value, _internal_params);
        }

        public override Tensor forward(Tensor tensor) => nn.functional.linear(tensor, weight, bias!);
    }

    /// <summary>A table of rows that indices select.</summary>
    public sealed class Embedding : nn.Module<Tensor, Tensor>
    {
        private readonly long? padding;
        private readonly double? maxNorm;
        private readonly double normType;
        private readonly bool scaleByFrequency;
        private readonly bool sparse;

        internal Embedding(Parameter weight, long? padding_idx, double? max_norm, double norm_type, bool scale_grad_by_freq, bool sparse)
            : base(nameof(Embedding))
        {
            var rows = weight.shape[0];
            padding = padding_idx is { } p && p < 0 ? p + rows : padding_idx;
            if (padding is { } index && (index < 0 || index >= rows))
            {
                throw new ArgumentException($"padding_idx {padding_idx} is not a row of a table of {rows} rows.", nameof(padding_idx));
            }

            maxNorm = max_norm;
            normType = norm_type;
            scaleByFrequency = scale_grad_by_freq;
            this.sparse = sparse;
            this.weight = weight;
        }

        /// <summary>[num_embeddings, embedding_dims]</summary>
        public Parameter weight
        {
            get => _internal_params["weight"];
            set => this.Adopt("weight", value, _internal_params);
        }

        public override Tensor forward(Tensor input)
        {
            if (maxNorm is { } norm)
            {
                using var quiet = no_grad();
                using var flat = input.contiguous();
                Interop.Op.Void("embedding_renorm_", weight, flat, norm, normType);
            }

            return Interop.Op.T("embedding", weight, input, padding ?? -1, scaleByFrequency, sparse);
        }
    }

    /// <summary>Sums, means or maxima of bags of rows.</summary>
    public sealed class EmbeddingBag : nn.Module<Tensor, Tensor, Tensor, Tensor>, nn.IModule<Tensor, Tensor, Tensor>
    {
        private readonly double? maxNorm;
        private readonly double normType;
        private readonly bool scaleByFrequency;
        private readonly EmbeddingBagMode mode;
        private readonly bool sparse;
        private readonly bool includeLast;
        private readonly long padding;

        internal EmbeddingBag(Parameter weight, double? max_norm, double norm_type, bool scale_grad_by_freq, EmbeddingBagMode mode, bool sparse, bool include_last_offset, long padding_index)
            : base(nameof(EmbeddingBag))
        {
            maxNorm = max_norm;
            normType = norm_type;
            scaleByFrequency = scale_grad_by_freq;
            this.mode = mode;
            this.sparse = sparse;
            includeLast = include_last_offset;
            padding = padding_index;
            this.weight = weight;
        }

        public Parameter weight
        {
            get => _internal_params["weight"];
            set => this.Adopt("weight", value, _internal_params);
        }

        /// <summary>A matrix of indices: each row is a bag.</summary>
        public Tensor call(Tensor input) => forward(input, null!, null!);

        /// <summary>A vector of indices, and where in it each bag starts.</summary>
        public Tensor call(Tensor input, Tensor offsets) => forward(input, offsets, null!);

        public new Tensor call(Tensor input, Tensor offsets, Tensor perSampleWeights) => forward(input, offsets, perSampleWeights);

        public override Tensor forward(Tensor input, Tensor offsets, Tensor perSampleWeights)
        {
            using var scope = NewDisposeScope();
            if (input.ndim == 2)
            {
                if (offsets is not null)
                {
                    throw new ArgumentException("offsets: must be null when the input is a matrix, whose rows are the bags.", nameof(offsets));
                }

                offsets = arange(0, includeLast ? input.numel() + 1 : input.numel(), input.shape[1], ScalarType.Int64, input.device);
                input = input.reshape(-1);
                perSampleWeights = perSampleWeights?.reshape(-1)!;
            }
            else if (offsets is null)
            {
                throw new ArgumentException("offsets: needed when the input is a vector of indices.", nameof(offsets));
            }

            if (maxNorm is { } norm)
            {
                using var quiet = no_grad();
                Interop.Op.Void("embedding_renorm_", weight, input.contiguous(), norm, normType);
            }

            var (output, _, _, _) = Interop.Op.T4("_embedding_bag", weight, input, offsets, scaleByFrequency, (long)mode, sparse, perSampleWeights, includeLast, padding);
            return output.MoveToOuterDisposeScope();
        }
    }

    /// <summary>Normalizes over the last dimensions.</summary>
    public sealed class LayerNorm : nn.Module<Tensor, Tensor>
    {
        internal LayerNorm(long[] normalized_shape, double eps, bool elementwise_affine, bool bias, Device? device, ScalarType? dtype)
            : base(nameof(LayerNorm))
        {
            this.normalized_shape = normalized_shape;
            this.eps = eps;
            this.elementwise_affine = elementwise_affine;
            if (elementwise_affine)
            {
                weight = empty(normalized_shape, dtype, device).AsParameter();
                if (bias)
                {
                    this.bias = empty(normalized_shape, dtype, device).AsParameter();
                }
            }

            reset_parameters();
        }

        public long[] normalized_shape { get; set; }

        public double eps { get; set; }

        public bool elementwise_affine { get; set; }

        public Parameter weight
        {
            get => _internal_params.TryGetValue("weight", out var p) ? p : null!;
            set => this.Adopt("weight", value, _internal_params);
        }

        public Parameter? bias
        {
            get => _internal_params.TryGetValue("bias", out var p) ? p : null;
            set => this.Adopt("bias", value, _internal_params);
        }

        public void reset_parameters()
        {
            if (weight is { } w)
            {
                nn.init.ones_(w);
            }

            if (bias is { } b)
            {
                nn.init.zeros_(b);
            }
        }

        public override Tensor forward(Tensor tensor) => nn.functional.layer_norm(tensor, normalized_shape, weight, bias, eps);
    }

    internal static class ParameterSlots
    {
        /// <summary>Sets the parameter of a module that owns it; the one before is disposed.</summary>
        internal static void Adopt(this nn.Module module, string name, Parameter? value, Utils.OrderedDict<string, Parameter> parameters)
        {
            if (parameters.TryGetValue(name, out var old))
            {
                if (ReferenceEquals(old, value))
                {
                    return;
                }

                old.Dispose();
                parameters.Remove(name);
            }

            if (value is not null)
            {
                value.DetachFromDisposeScope();
                parameters[name] = value;
            }
        }
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.Linear Linear(long inputSize, long outputSize, bool hasBias = true, Device? device = null, ScalarType? dtype = null) => new(inputSize, outputSize, hasBias, device, dtype);

            public static Modules.Linear Linear(Modules.Parameter weight, Modules.Parameter? bias = null) => new(weight, bias);

            public static Modules.Embedding Embedding(long num_embeddings, long embedding_dims, long? padding_idx = null, double? max_norm = null, double norm_type = 2, bool scale_grad_by_freq = false, bool sparse = false, Device? device = null, ScalarType? dtype = null)
            {
                var weight = init.normal_(empty(num_embeddings, embedding_dims, dtype, device));
                if (padding_idx is { } row)
                {
                    using var padding = weight[row];
                    padding.zero_();
                }

                return new(new Modules.Parameter(weight), padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse);
            }

            public static Modules.Embedding Embedding_from_pretrained(Tensor embeddings, bool freeze = true, long? padding_idx = null, double? max_norm = null, double norm_type = 2, bool scale_grad_by_freq = false, bool sparse = false, Device? device = null, ScalarType? dtype = null) =>
                new(Pretrained(embeddings, freeze, device, dtype), padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse);

            public static Modules.EmbeddingBag EmbeddingBag(long num_embeddings, long embedding_dims, double? max_norm = null, double norm_type = 2, bool scale_grad_by_freq = false, EmbeddingBagMode mode = EmbeddingBagMode.Mean, bool sparse = false, bool include_last_offset = false, long padding_index = -1, Device? device = null, ScalarType? dtype = null)
            {
                var weight = init.normal_(empty(num_embeddings, embedding_dims, dtype, device));
                if (padding_index >= 0)
                {
                    using var padding = weight[padding_index];
                    padding.zero_();
                }

                return new(new Modules.Parameter(weight), max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset, padding_index);
            }

            public static Modules.EmbeddingBag EmbeddingBag_from_pretrained(Tensor embeddings, bool freeze = true, double? max_norm = null, double norm_type = 2, bool scale_grad_by_freq = false, EmbeddingBagMode mode = EmbeddingBagMode.Mean, bool sparse = false, bool include_last_offset = false, long padding_index = -1, Device? device = null, ScalarType? dtype = null) =>
                new(Pretrained(embeddings, freeze, device, dtype), max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset, padding_index);

            public static Modules.LayerNorm LayerNorm(long normalized_shape, double eps = 1E-05, bool elementwise_affine = true, bool bias = true, Device? device = null, ScalarType? dtype = null) => LayerNorm([normalized_shape], eps, elementwise_affine, bias, device, dtype);

            public static Modules.LayerNorm LayerNorm(long[] normalized_shape, double eps = 1E-05, bool elementwise_affine = true, bool bias = true, Device? device = null, ScalarType? dtype = null) => new(normalized_shape, eps, elementwise_affine, bias, device, dtype);

            private static Modules.Parameter Pretrained(Tensor embeddings, bool freeze, Device? device, ScalarType? dtype)
            {
                using var scope = NewDisposeScope();
                var table = embeddings.detach().to(dtype ?? embeddings.dtype, device ?? embeddings.device);
                return (Modules.Parameter)new Modules.Parameter(table.alias(), !freeze).MoveToOuterDisposeScope();
            }
        }
    }
}
