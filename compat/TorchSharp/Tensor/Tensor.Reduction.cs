using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    // Reductions and scans.
    public partial class Tensor
    {
        public Tensor amax(ReadOnlySpan<long> dims, bool keepdim = false, Tensor? @out = null) => @out is null ? Op.T("amax", this, dims, keepdim) : Into(@out, Op.T("amax.out", this, dims, keepdim, @out));
        public Tensor amax(long[] dims, bool keepdim = false, Tensor? @out = null) => @out is null ? Op.T("amax", this, dims, keepdim) : Into(@out, Op.T("amax.out", this, dims, keepdim, @out));
        public Tensor amax(params long[] dims) => Op.T("amax", this, dims);
        public Tensor amin(ReadOnlySpan<long> dims, bool keepdim = false, Tensor? @out = null) => @out is null ? Op.T("amin", this, dims, keepdim) : Into(@out, Op.T("amin.out", this, dims, keepdim, @out));
        public Tensor amin(long[] dims, bool keepdim = false, Tensor? @out = null) => @out is null ? Op.T("amin", this, dims, keepdim) : Into(@out, Op.T("amin.out", this, dims, keepdim, @out));
        public Tensor amin(params long[] dims) => Op.T("amin", this, dims);
        public (Tensor min, Tensor max) aminmax(long? dim = null, bool keepdim = false) => Op.T2("aminmax", this, dim, keepdim);
        public Tensor argmax() => Op.T("argmax", this);
        public Tensor argmax(long dim, bool keepdim = false) => Op.T("argmax", this, dim, keepdim);
        public Tensor argmin() => Op.T("argmin", this);
        public Tensor argmin(long dim, bool keepdim = false) => Op.T("argmin", this, dim, keepdim);
        public Tensor argsort(long dim = -1, bool descending = false) => Op.T("argsort", this, dim, descending);
        public Tensor bincount(Tensor weights, long minlength = 0) => Op.T("bincount", this, weights, minlength);
        public Tensor bucketize(Tensor boundaries, bool outInt32 = false, bool right = false) => Op.T("bucketize.Tensor", this, boundaries, outInt32, right);
        public Tensor count_nonzero(long[]? dims = null) => dims is null ? Op.T("count_nonzero", this) : Op.T("count_nonzero.dim_IntList", this, dims);
        public (Tensor values, Tensor indices) cummax(long dim) => Op.T2("cummax", this, dim);
        public (Tensor values, Tensor indices) cummin(long dim) => Op.T2("cummin", this, dim);
        public Tensor cumprod(long dim, ScalarType? type = null) => Op.T("cumprod", this, dim, type);
        public Tensor cumsum(long dim, ScalarType? type = null) => Op.T("cumsum", this, dim, type);
        public Tensor diff(long n = 1, long dim = -1, Tensor? prepend = null, Tensor? append = null) => Op.T("diff", this, n, dim, prepend, append);
        public Tensor dist(Tensor other, float p = 2) => Op.T("dist", this, other, p);
        public Tensor histc(long bins = 100, long min = 0, long max = 0) => Op.T("histc", this, bins, min, max);
        public static (Tensor values, Tensor indices) kthvalue(Tensor input, long k, long? dim, bool keepdim = false) => input.kthvalue(k, dim, keepdim);
        public (Tensor values, Tensor indices) kthvalue(long k, long? dim, bool keepdim = false) => Op.T2("kthvalue", this, k, dim ?? -1, keepdim);
        public Tensor logcumsumexp(long dim) => Op.T("logcumsumexp", this, dim);
        public Tensor logsumexp(long dim, bool keepdim = false) => Op.T("logsumexp", this, dim, keepdim);
        public Tensor max() => Op.T("max", this);
        public Tensor max(Tensor other) => Op.T("max.other", this, other);
        public (Tensor values, Tensor indexes) max(long dim, bool keepdim = false) => Op.T2("max.dim", this, dim, keepdim);
        public Tensor mean() => Op.T("mean", this);
        public Tensor mean(long[] dimensions, bool keepdim = false, ScalarType? type = null) => Op.T("mean.dim", this, dimensions, keepdim, type);
        public Tensor median() => Op.T("median", this);
        public Tensor min() => Op.T("min", this);
        public Tensor min(Tensor other) => Op.T("min.other", this, other);
        public (Tensor values, Tensor indexes) min(long dim, bool keepdim = false) => Op.T2("min.dim", this, dim, keepdim);
        public (Tensor values, Tensor indices) mode(long dim = -1, bool keepdim = false) => Op.T2("mode", this, dim, keepdim);
        public Tensor msort() => Op.T("msort", this);
        public Tensor nanmean(int? dim = null, bool keepdim = false, ScalarType? dtype = null) => Op.T("nanmean", this, (long?)dim, keepdim, dtype);
        public Tensor nanmedian() => Op.T("nanmedian", this);
        public Tensor nanquantile(Tensor q, long dim = -1, bool keepdim = false) => Op.T("nanquantile", this, q, dim, keepdim);
        public Tensor nansum() => Op.T("nansum", this);
        public Tensor norm(float p = 2) => Op.T("norm.Scalar", this, p);
        public Tensor norm(int dim, bool keepdim = false, float p = 2) => Op.T("norm.ScalarOpt_dim", this, p, dim, keepdim);
        public Tensor prod(ScalarType? type = null) => Op.T("prod", this, type);
        public Tensor prod(long dim, bool keepdim = false, ScalarType? type = null) => Op.T("prod.dim_int", this, dim, keepdim, type);
        public Tensor quantile(Tensor q, long dim = -1, bool keepdim = false) => Op.T("quantile", this, q, dim, keepdim);
        public (Tensor Values, Tensor Indices) sort(long dim = -1, bool descending = false, bool stable = false) => Op.T2("sort.stable", this, stable, dim, descending);
        public Tensor std((long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T("std.dim", As(type), new[] { dim.Item1, dim.Item2 }, unbiased, keepdim);
        public Tensor std((long, long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T("std.dim", As(type), new[] { dim.Item1, dim.Item2, dim.Item3 }, unbiased, keepdim);
        public Tensor std(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T("std.dim", As(type), dimensions, unbiased, keepdim);
        public Tensor std(bool unbiased = true) => Op.T("std", this, unbiased);
        public Tensor std(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T("std.dim", As(type), dim, unbiased, keepdim);
        public Tensor std(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T("std.dim", As(type), dimensions, unbiased, keepdim);
        public (Tensor std, Tensor mean) std_mean((long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T2("std_mean.dim", As(type), new[] { dim.Item1, dim.Item2 }, unbiased, keepdim);
        public (Tensor std, Tensor mean) std_mean((long, long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T2("std_mean.dim", As(type), new[] { dim.Item1, dim.Item2, dim.Item3 }, unbiased, keepdim);
        public (Tensor std, Tensor mean) std_mean(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T2("std_mean.dim", As(type), dimensions, unbiased, keepdim);
        public (Tensor std, Tensor mean) std_mean(bool unbiased = true) => Op.T2("std_mean", this, unbiased);
        public (Tensor std, Tensor mean) std_mean(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T2("std_mean.dim", As(type), dim, unbiased, keepdim);
        public (Tensor std, Tensor mean) std_mean(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T2("std_mean.dim", As(type), dimensions, unbiased, keepdim);
        public Tensor sum(ReadOnlySpan<long> dim, bool keepdim = false, ScalarType? type = null) => Op.T("sum.dim_IntList", this, dim, keepdim, type);
        public Tensor sum(ScalarType? type = null) => Op.T("sum", this, type);
        public Tensor sum(long dim, bool keepdim = false, ScalarType? type = null) => Op.T("sum.dim_IntList", this, dim, keepdim, type);
        public Tensor sum(long dim0, long dim1, bool keepdim = false, ScalarType? type = null) => Op.T("sum.dim_IntList", this, new[] { dim0, dim1 }, keepdim, type);
        public Tensor sum(long dim0, long dim1, long dim2, bool keepdim = false, ScalarType? type = null) => Op.T("sum.dim_IntList", this, new[] { dim0, dim1, dim2 }, keepdim, type);
        public Tensor sum(long[] dim, bool keepdim = false, ScalarType? type = null) => Op.T("sum.dim_IntList", this, dim, keepdim, type);
        public (Tensor values, Tensor indexes) topk(int k, int dim = -1, bool largest = true, bool sorted = true) => Op.T2("topk", this, k, dim, largest, sorted);
        public Tensor trace() => Op.T("trace", this);

        public (Tensor output, Tensor? inverse_indices, Tensor? counts) unique(bool sorted = true, bool return_inverse = false, bool return_counts = false, int? dim = null)
        {
            var (output, inverse, counts) = dim is { } d
                ? Op.T3("unique_dim", this, d, sorted, return_inverse, return_counts)
                : Op.T3("_unique2", this, sorted, return_inverse, return_counts);
            return (output, Wanted(inverse, return_inverse), Wanted(counts, return_counts));
        }

        public (Tensor output, Tensor? inverse_indices, Tensor? counts) unique_consecutive(bool return_inverse = false, bool return_counts = false, int? dim = null)
        {
            var (output, inverse, counts) = Op.T3("unique_consecutive", this, return_inverse, return_counts, (long?)dim);
            return (output, Wanted(inverse, return_inverse), Wanted(counts, return_counts));
        }

        public Tensor var((long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T("var.dim", As(type), new[] { dim.Item1, dim.Item2 }, unbiased, keepdim);
        public Tensor var((long, long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T("var.dim", As(type), new[] { dim.Item1, dim.Item2, dim.Item3 }, unbiased, keepdim);
        public Tensor var(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T("var.dim", As(type), dimensions, unbiased, keepdim);
        public Tensor var(bool unbiased = true) => Op.T("var", this, unbiased);
        public Tensor var(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T("var.dim", As(type), dim, unbiased, keepdim);
        public Tensor var(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T("var.dim", As(type), dimensions, unbiased, keepdim);
        public (Tensor var, Tensor mean) var_mean((long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T2("var_mean.dim", As(type), new[] { dim.Item1, dim.Item2 }, unbiased, keepdim);
        public (Tensor var, Tensor mean) var_mean((long, long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T2("var_mean.dim", As(type), new[] { dim.Item1, dim.Item2, dim.Item3 }, unbiased, keepdim);
        public (Tensor var, Tensor mean) var_mean(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T2("var_mean.dim", As(type), dimensions, unbiased, keepdim);
        public (Tensor var, Tensor mean) var_mean(bool unbiased = true) => Op.T2("var_mean", this, unbiased);
        public (Tensor var, Tensor mean) var_mean(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T2("var_mean.dim", As(type), dim, unbiased, keepdim);
        public (Tensor var, Tensor mean) var_mean(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Op.T2("var_mean.dim", As(type), dimensions, unbiased, keepdim);
        public Tensor corrcoef() => Op.T("corrcoef", this);
        public Tensor cov(long correction = 1, Tensor? fweights = null, Tensor? aweights = null) => Op.T("cov", this, correction, fweights, aweights);
        public Tensor renorm(float p, long dim, float maxnorm) => Op.T("renorm", this, p, dim, maxnorm);
    }
}
