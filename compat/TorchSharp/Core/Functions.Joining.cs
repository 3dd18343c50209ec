using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    // Functions of several tensors, and those whose method has another form.
    public static Tensor cat(IList<Tensor> tensors, long dim = 0) => Op.T("cat", tensors.ToArray(), dim);
    public static Tensor cat(Tensor[] tensors, long dim = 0) => Op.T("cat", tensors, dim);
    public static Tensor cat(ReadOnlySpan<Tensor> tensors, long dim = 0) => Op.T("cat", tensors.ToArray(), dim);
    public static Tensor concat(IList<Tensor> tensors, long dim = 0) => cat(tensors, dim);
    public static Tensor concat(Tensor[] tensors, long dim = 0) => cat(tensors, dim);
    public static Tensor concat(ReadOnlySpan<Tensor> tensors, long dim = 0) => cat(tensors, dim);
    public static Tensor stack(IEnumerable<Tensor> tensors, long dim = 0) => Op.T("stack", tensors.ToArray(), dim);
    public static Tensor hstack(IList<Tensor> tensors) => Op.T("hstack", tensors.ToArray());
    public static Tensor hstack(params Tensor[] tensors) => Op.T("hstack", tensors);
    public static Tensor hstack(ReadOnlySpan<Tensor> tensors) => Op.T("hstack", tensors.ToArray());
    public static Tensor vstack(IList<Tensor> tensors) => Op.T("vstack", tensors.ToArray());
    public static Tensor vstack(Tensor[] tensors) => Op.T("vstack", tensors);
    public static Tensor vstack(ReadOnlySpan<Tensor> tensors) => Op.T("vstack", tensors.ToArray());
    public static Tensor column_stack(IList<Tensor> tensors) => Op.T("column_stack", tensors.ToArray());
    public static Tensor column_stack(params Tensor[] tensors) => Op.T("column_stack", tensors);
    public static Tensor block_diag(params Tensor[] tensors) => Op.T("block_diag", tensors);
    public static Tensor cartesian_prod(params Tensor[] tensors) => Op.T("cartesian_prod", tensors);
    public static Tensor[] meshgrid(IEnumerable<Tensor> tensors, string indexing = "ij") => Op.List("meshgrid.indexing", tensors.ToArray(), indexing);
    public static IList<Tensor> broadcast_tensors(params Tensor[] tensors) => Op.List("broadcast_tensors", tensors);
    public static Tensor combinations(Tensor input, int r = 2, bool with_replacement = false) => Op.T("combinations", input, r, with_replacement);
    public static Tensor einsum(string equation, params Tensor[] tensors) => Op.T("einsum", equation, tensors);
    public static Tensor chain_matmul(params Tensor[] matrices) => Op.T("linalg_multi_dot", matrices);
    public static Tensor cholesky(Tensor input) => input.cholesky();
    public static Tensor cdist(Tensor x1, Tensor x2, double p = 2, compute_mode compute_mode = compute_mode.use_mm_for_euclid_dist_if_necessary) => Op.T("cdist", x1, x2, p, (long)compute_mode);
    public static Tensor where(Tensor condition, Tensor x, Tensor y) => Op.T("where.self", condition, x, y);
    public static Tensor[] where(Tensor condition) => Op.List("where", condition);
    public static Tensor gather(Tensor input, long dim, Tensor index, bool sparse_grad = false) => Op.T("gather", input, dim, index, sparse_grad);

    public static Tensor searchsorted(Tensor sorted_sequence, Tensor values, bool out_int32 = false, bool right = false, Tensor? sorter = null) =>
        Op.T("searchsorted.Tensor", sorted_sequence, values, out_int32, right, Arg.None, sorter);

    public static Tensor searchsorted(Tensor sorted_sequence, Scalar values, bool out_int32, bool right, Tensor sorter) =>
        Op.T("searchsorted.Scalar", sorted_sequence, values, out_int32, right, Arg.None, sorter);

    public static Tensor norm(Tensor input) => input.norm();
    public static Tensor movedim(Tensor input, long source, long destination) => Op.T("movedim.int", input, source, destination);
    public static Tensor moveaxis(Tensor input, long source, long destination) => Op.T("movedim.int", input, source, destination);
    public static Tensor as_tensor(Tensor data, ScalarType? dtype = null, Device? device = null) => data.to(dtype ?? data.dtype, device ?? data.device);
    public static ScalarType result_type(Tensor tensor1, Tensor tensor2) => (ScalarType)Op.Int("result_type.Tensor", tensor1, tensor2);
    public static bool can_cast(ScalarType from, ScalarType to) => Op.Bool("can_cast", from, to);
    public static ScalarType promote_types(ScalarType type1, ScalarType type2) => (ScalarType)Op.Int("promote_types", type1, type2);
    public static (Tensor res, Tensor logabsdet) slogdet(Tensor A) => Op.T2("linalg_slogdet", A);
    public static double rand_float(Generator? generator = null) => One(rand(1, dtype: ScalarType.Float64, generator: generator));
    public static double randn_float(Generator? generator = null) => One(randn(1, dtype: ScalarType.Float64, generator: generator));
    public static long randint_long(long high, Generator? generator = null) => randint_long(0, high, generator);
    public static int randint_int(int high, Generator? generator = null) => (int)randint_long(0, high, generator);
    public static int randint_int(int low, int high, Generator? generator = null) => (int)randint_long(low, high, generator);
    public static bool randint_bool(Generator? generator = null) => randint_long(0, 2, generator) == 1;

    public static long randint_long(long low, long high, Generator? generator = null)
    {
        using var value = randint(low, high, new long[] { 1 }, generator: generator);
        return value.item<long>();
    }

    private static double One(Tensor value)
    {
        using (value)
        {
            return value.item<double>();
        }
    }

    public static class linalg
    {
        public enum QRMode { Reduced = 0, Complete = 1, R = 2 }

        public static Tensor cholesky(Tensor input) => Op.T("linalg_cholesky", input);
        public static Tensor cross(Tensor input, Tensor other, long dim = -1) => Op.T("linalg_cross", input, other, dim);
        public static Tensor det(Tensor input) => Op.T("linalg_det", input);
        public static (Tensor, Tensor) eigh(Tensor input, char UPLO = 'L') => Op.T2("linalg_eigh", input, UPLO.ToString());
        public static Tensor eigvalsh(Tensor input, char UPLO = 'L') => Op.T("linalg_eigvalsh", input, UPLO.ToString());
        public static Tensor inv(Tensor input) => Op.T("linalg_inv", input);
        public static Tensor matrix_exp(Tensor input) => Op.T("linalg_matrix_exp", input);
        public static Tensor matrix_norm(Tensor input, string ord = "fro", long[]? dims = null, bool keepdim = false) => Op.T("linalg_matrix_norm.str_ord", input, ord, dims ?? [-2, -1], keepdim);
        public static Tensor matrix_norm(Tensor input, double ord, long[]? dims = null, bool keepdim = false) => Op.T("linalg_matrix_norm", input, ord, dims ?? [-2, -1], keepdim);
        public static Tensor multi_dot(IList<Tensor> tensors) => Op.T("linalg_multi_dot", tensors.ToArray());
        public static Tensor norm(Tensor input, string ord, long[]? dims = null, bool keepdim = false) => Op.T("linalg_norm.ord_str", input, ord, dims, keepdim);
        public static Tensor norm(Tensor input, double ord, long[]? dims = null, bool keepdim = false) => Op.T("linalg_norm", input, ord, dims, keepdim);
        public static Tensor norm(Tensor input, int ord, long[]? dims = null, bool keepdim = false) => Op.T("linalg_norm", input, ord, dims, keepdim);
        public static Tensor norm(Tensor input, long[]? dims = null, bool keepdim = false) => Op.T("linalg_norm", input, Arg.None, dims, keepdim);

        public static (Tensor Q, Tensor R) qr(Tensor input, QRMode mode = QRMode.Reduced) =>
            Op.T2("linalg_qr", input, mode switch { QRMode.Reduced => "reduced", QRMode.Complete => "complete", _ => "r" });

        public static (Tensor, Tensor) slogdet(Tensor input) => Op.T2("linalg_slogdet", input);
        public static Tensor solve(Tensor A, Tensor B, bool left = true) => Op.T("linalg_solve", A, B, left);
        public static Tensor solve_triangular(Tensor A, Tensor B, bool upper, bool left = true, bool unitriangular = false, Tensor? @out = null) => @out is null
            ? Op.T("linalg_solve_triangular", A, B, upper, left, unitriangular)
            : throw new NotSupportedException("solve_triangular with out is not part of this subset of TorchSharp.");

        public static (Tensor U, Tensor S, Tensor Vh) svd(Tensor input, bool fullMatrices = true) => Op.T3("linalg_svd", input, fullMatrices);
        public static Tensor svdvals(Tensor input) => Op.T("linalg_svdvals", input);
        public static Tensor vector_norm(Tensor input, double ord = 2, long[]? dims = null, bool keepdim = false) => Op.T("linalg_vector_norm", input, ord, dims, keepdim);
    }
}
