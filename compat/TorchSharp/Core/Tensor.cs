using System.Runtime.CompilerServices;
using TorchSharp.Interop;
using TorchSharp.Utils;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>A tensor of libtorch. In-place methods, whose names end in an underscore, return this object.</summary>
    public partial class Tensor : IDisposable
    {
        private static long total;
        private static long peak;

        private nint handle;

        internal Tensor(nint handle, bool register = true)
        {
            this.handle = handle;
            var now = Interlocked.Increment(ref total);
            if (now > peak)
            {
                peak = now;
            }

            if (register)
            {
                Scope = DisposeScopeManager.OfThread.Register(this);
            }
        }

        ~Tensor() => Dispose(false);

        /// <summary>Tensor objects alive in the process.</summary>
        public static long TotalCount => Interlocked.Read(ref total);

        public static long PeakCount => Interlocked.Read(ref peak);

        internal DisposeScope? Scope { get; set; }

        public string? name { get; set; }

        public bool IsInvalid => handle == 0;

        /// <summary>The native tensor. A disposed tensor throws.</summary>
        public nint Handle => handle != 0 ? handle : throw new InvalidOperationException("Tensor invalid -- empty handle: it was disposed, by hand or by its dispose scope.");

        internal nint HandleOrZero => handle;

        public static Tensor UnsafeCreateTensor(nint handle) => new(handle);

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            var owned = Interlocked.Exchange(ref handle, 0);
            if (owned == 0)
            {
                return;
            }

            // The finalizer runs on a thread of its own, whose scopes and counts are not the tensor's.
            if (disposing)
            {
                DisposeScopeManager.OfThread.CountDisposed(Scope is not null);
                Scope?.MarkAsDisposed(this);
            }

            Interlocked.Decrement(ref total);
            Native.ts_tensor_free(owned);
        }

        /// <summary>Gives the native tensor away; this object is empty afterwards.</summary>
        public nint DecoupleFromNativeHandle()
        {
            var owned = Handle;
            GC.SuppressFinalize(this);
            Interlocked.Decrement(ref total);
            handle = 0;
            return owned;
        }

        public Tensor MoveToOuterDisposeScope()
        {
            Scope?.MoveToOuter(this);
            return this;
        }

        public Tensor DetachFromDisposeScope()
        {
            Scope?.Detach(this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(Tensor other) => MoveToOtherDisposeScope(other.Scope);

        public Tensor MoveToOtherDisposeScope(DisposeScope? other)
        {
            if (Scope is null)
            {
                other?.Attach(this);
            }
            else
            {
                Scope.MoveToOther(other, this);
            }

            return this;
        }

        // ---- what it is ----

        public long Dimensions => Native.ts_tensor_dim(Handle);
        public long ndim => Dimensions;
        public long dim() => Dimensions;
        public long NumberOfElements => Native.ts_tensor_numel(Handle);
        public long numel() => NumberOfElements;
        public long ElementSize => Native.ts_tensor_itemsize(Handle);
        public long element_size() => ElementSize;
        public ScalarType dtype => (ScalarType)Native.ts_tensor_dtype(Handle);
        public DeviceType device_type => (DeviceType)Native.ts_tensor_device_type(Handle);
        public int device_index => Native.ts_tensor_device_index(Handle);
        public Device device => new(device_type, device_index);
        public bool is_cuda => device_type == DeviceType.CUDA;
        public bool is_meta => device_type == DeviceType.META;
        public bool is_cpu() => device_type == DeviceType.CPU;
        public bool is_sparse => Native.ts_tensor_is_sparse(Handle) != 0;
        public bool is_leaf => Native.ts_tensor_is_leaf(Handle) != 0;
        public bool is_contiguous() => Native.ts_tensor_is_contiguous(Handle) != 0;
        public bool is_integral() => torch.is_integral(dtype);
        public bool is_floating_point() => torch.is_floating_point(dtype);
        public bool is_complex() => torch.is_complex(dtype);
        public long storage_offset() => Native.ts_tensor_offset(Handle);

        [SkipLocalsInit]
        public unsafe long[] shape
        {
            get
            {
                var result = new long[ndim];
                fixed (long* p = result)
                {
                    Native.ts_tensor_sizes(Handle, p);
                }

                return result;
            }
        }

        public long[] size() => shape;

        public long size(int dim) => shape[Wrap(dim)];

        public unsafe long[] stride()
        {
            var result = new long[ndim];
            fixed (long* p = result)
            {
                Native.ts_tensor_strides(Handle, p);
            }

            return result;
        }

        public long stride(int dim) => stride()[Wrap(dim)];

        private int Wrap(int dim)
        {
            var n = (int)ndim;
            return dim >= -n && dim < n ? dim < 0 ? dim + n : dim
                : throw new ArgumentOutOfRangeException(nameof(dim), dim, $"the tensor has {n} dimensions");
        }

        // ---- gradients ----

        public bool requires_grad
        {
            get => Native.ts_tensor_requires_grad(Handle) != 0;
            set => Native.Check(Native.ts_tensor_set_requires_grad(Handle, value ? 1 : 0));
        }

        public Tensor requires_grad_(bool requires_grad = true) => with_requires_grad(requires_grad);

        public Tensor with_requires_grad(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        /// <summary>The accumulated gradient, as a new object at each call, or null.</summary>
        public Tensor? grad
        {
            get => Native.ts_tensor_grad(Handle) is var g and not 0 ? new Tensor(g) : null;
            set => Native.Check(Native.ts_tensor_set_grad(Handle, value is null ? 0 : value.Handle));
        }

        public void retain_grad() => Native.Check(Native.ts_tensor_retain_grad(Handle));

        public void backward() => autograd.backward([this]);

        public void backward(IList<Tensor>? grad_tensors = null, bool retain_graph = false, bool create_graph = false, IList<Tensor>? inputs = null) =>
            autograd.backward([this], grad_tensors, retain_graph, create_graph, inputs);

        // ---- copies ----

        public Tensor alias() => new(Native.ts_tensor_alias(Handle));
        public Tensor clone() => Op.T("clone", this);
        public Tensor contiguous() => Op.T("contiguous", this);
        public Tensor detach() => Op.T("detach", this);

        public Tensor detach_()
        {
            Op.Void("detach_", this);
            return this;
        }

        public Tensor copy_(Tensor source, bool nonBlocking = false)
        {
            Op.Void("copy_", this, source, nonBlocking);
            return this;
        }

        public Tensor to_type(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            After(disposeAfter, Op.T("to.dtype", this, type, non_blocking, copy));

        public Tensor to(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            to_type(type, copy, disposeAfter, non_blocking);

        public Tensor to(ScalarType type, Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            After(disposeAfter, Op.T("to.device", this, InitializeDevice(device), type, non_blocking, copy));

        public Tensor to(Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            to(dtype, device, copy, disposeAfter, non_blocking);

        public Tensor to(DeviceType deviceType, int deviceIndex = -1, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            to(dtype, new Device(deviceType, deviceIndex), copy, disposeAfter, non_blocking);

        public Tensor to(string device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            to(dtype, new Device(device), copy, disposeAfter, non_blocking);

        public Tensor to(Tensor other, bool non_blocking = false) => to(other.dtype, other.device, non_blocking: non_blocking);
        public Tensor type_as(Tensor tensor) => to_type(tensor.dtype);
        public Tensor type(ScalarType dtype) => to_type(dtype);
        public Tensor type(Func<Tensor, Tensor> typeFunc) => typeFunc(this);
        public Tensor cpu() => to(CPU);
        public Tensor cuda(Device? device = null, bool non_blocking = false) => to(device ?? CUDA, non_blocking: non_blocking);
        public Tensor @bool() => to_type(ScalarType.Bool);
        public Tensor @byte() => to_type(ScalarType.Byte);
        public Tensor @char() => to_type(ScalarType.Int8);
        public Tensor @short() => to_type(ScalarType.Int16);
        public Tensor @int() => to_type(ScalarType.Int32);
        public Tensor @long() => to_type(ScalarType.Int64);
        public Tensor half() => to_type(ScalarType.Float16);
        public Tensor bfloat16() => to_type(ScalarType.BFloat16);
        public Tensor @float() => to_type(ScalarType.Float32);
        public Tensor @double() => to_type(ScalarType.Float64);
        public Tensor pin_memory() => Op.T("pin_memory", this);
        public bool is_pinned() => Op.Bool("is_pinned", this);

        private Tensor After(bool dispose, Tensor result)
        {
            if (dispose)
            {
                Dispose();
            }

            return result;
        }

        public Tensor zeros_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.zeros_like(this, dtype, device, requires_grad);
        public Tensor ones_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.ones_like(this, dtype, device, requires_grad);
        public Tensor empty_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.empty_like(this, dtype, device, requires_grad);
        public Tensor full_like(Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.full_like(this, value, dtype, device, requires_grad);
        public Tensor rand_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.rand_like(this, dtype, device, requires_grad);
        public Tensor randn_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.randn_like(this, dtype, device, requires_grad);
        public Tensor randint_like(long low, long high, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.randint_like(this, low, high, dtype, device, requires_grad);
        public Tensor new_zeros(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => zeros(size, dtype ?? this.dtype, device ?? this.device, requires_grad);
        public Tensor new_empty(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => empty(size, dtype ?? this.dtype, device ?? this.device, requires_grad);
        public Tensor new_full(long[] size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => full(size, value, dtype ?? this.dtype, device ?? this.device, requires_grad);

        public Tensor T => Op.T("numpy_T", this);
        public Tensor mT => Op.T("mT", this);

        // ---- values ----

        internal unsafe void* Data
        {
            get
            {
                var p = Native.ts_tensor_data(Handle);
                if (p == null && NumberOfElements > 0)
                {
                    Native.Throw();
                }

                return p;
            }
        }

        /// <summary>The elements, in place for a CPU tensor, of a copy for one elsewhere.</summary>
        public TensorAccessor<T> data<T>() where T : unmanaged => new(device_type == DeviceType.CPU ? this : cpu());

        public unsafe T item<T>() where T : unmanaged
        {
            if (NumberOfElements != 1)
            {
                throw new ArgumentException($"item needs a tensor of one element; this one has {NumberOfElements} (shape [{string.Join(", ", shape)}]).");
            }

            TensorAccessor<T>.CheckType(this);
            if (device_type == DeviceType.CPU)
            {
                return *(T*)Data;
            }

            using var here = to(CPU);
            return *(T*)here.Data;
        }

        /// <summary>The memory of a contiguous CPU tensor.</summary>
        public unsafe Span<byte> bytes
        {
            get => new(Data, checked((int)PlainBytes()));
            set
            {
                if (PlainBytes() != value.Length)
                {
                    throw new ArgumentException($"{value.Length} bytes given for a tensor of {PlainBytes()} bytes.");
                }

                value.CopyTo(bytes);
            }
        }

        public unsafe void WriteBytesToStream(Stream stream, int bufferSize = 1024)
        {
            var left = PlainBytes();
            var p = (byte*)Data;
            while (left > 0)
            {
                var n = (int)Math.Min(left, 1 << 20);
                stream.Write(new ReadOnlySpan<byte>(p, n));
                p += n;
                left -= n;
            }
        }

        public unsafe void ReadBytesFromStream(Stream stream, int bufferSize = 1024)
        {
            var left = PlainBytes();
            var p = (byte*)Data;
            while (left > 0)
            {
                var n = (int)Math.Min(left, 1 << 20);
                stream.ReadExactly(new Span<byte>(p, n));
                p += n;
                left -= n;
            }
        }

        private long PlainBytes() =>
            device_type != DeviceType.CPU ? throw new InvalidOperationException($"The tensor is on {device}; only the bytes of a CPU tensor can be read or written.")
            : !is_contiguous() ? throw new InvalidOperationException("The tensor is not contiguous; call contiguous() first.")
            : NumberOfElements * ElementSize;

        public T ReadCpuValue<T>(long i) where T : unmanaged => data<T>().At(i);
        public double ReadCpuDouble(long i) => ReadCpuValue<double>(i);
        public float ReadCpuSingle(long i) => ReadCpuValue<float>(i);
        public long ReadCpuInt64(long i) => ReadCpuValue<long>(i);
        public int ReadCpuInt32(long i) => ReadCpuValue<int>(i);
        public short ReadCpuInt16(long i) => ReadCpuValue<short>(i);
        public byte ReadCpuByte(long i) => ReadCpuValue<byte>(i);
        public sbyte ReadCpuSByte(long i) => ReadCpuValue<sbyte>(i);
        public bool ReadCpuBool(long i) => ReadCpuValue<bool>(i);

        public Scalar ToScalar() => Op.Number("_local_scalar_dense", this);

        /// <summary>Compares values, as the real package does; the hash code is the object's own.</summary>
        public override bool Equals(object? obj) => obj is Tensor other && Equals(other);

        public bool Equals(Tensor? target) => target is not null && Op.Bool("equal", this, target);

        public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
    }

    public static bool is_tensor(object obj) => obj is Tensor;
    public static long numel(Tensor input) => input.numel();
    public static bool is_floating_point(Tensor input) => input.is_floating_point();
    public static bool is_integral(Tensor t) => t.is_integral();
    public static bool is_complex(Tensor input) => input.is_complex();
}
