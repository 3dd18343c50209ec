// The native half of the TorchSharp substitute: every ATen operator is called by name through the dispatcher's boxed
// calling convention, so no operator needs a C function of its own. A tensor handle is an owned TensorImpl*.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/csrc/autograd/anomaly_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

using at::Tensor;
using c10::IValue;
using Handle = c10::TensorImpl*;

namespace {

// libtorch's optional is its own in version 1 and std's in version 2: it is taken from a signature that both have.
using Default = std::decay_t<decltype(std::declval<const c10::Argument&>().default_value())>;
template <class T>
struct OptionalLike;
template <template <class> class O>
struct OptionalLike<O<IValue>> {
  template <class T>
  using Of = O<T>;
};
template <class T>
using Optional = OptionalLike<Default>::template Of<T>;

thread_local std::string last_error;
thread_local std::vector<Handle> list_result;

Tensor borrow(const void* handle) {
  if (handle == nullptr) return Tensor();
  auto impl = static_cast<c10::TensorImpl*>(const_cast<void*>(handle));
  return Tensor(c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim_copy(impl));
}

Handle give(Tensor&& t) {
  if (!t.defined()) return nullptr;
  return t.unsafeReleaseTensorImpl();
}

// Runs f; an exception becomes `failure`, its text is kept for ts_error.
template <class R, class F>
R guarded(R failure, F&& f) {
  try {
    return f();
  } catch (const c10::Error& e) {
    last_error = e.what_without_backtrace();
  } catch (const std::exception& e) {
    last_error = e.what();
  } catch (...) {
    last_error = "libtorch threw something that is not a std::exception";
  }
  return failure;
}

// What an argument is on the managed side; Arguments.cs has the same numbers.
enum Tag : int64_t { kNone, kTensor, kInt, kDouble, kBool, kInts, kDoubles, kTensors, kString, kDevice, kGenerator };

struct Value {
  int64_t tag;
  int64_t count;
  union {
    int64_t i;
    double d;
    const void* p;
  };
};

// What the operator's schema wants in a place.
enum class Slot { Other, Float, Bool, IntList, FloatList, BoolList, NumberList, TensorList, OptionalTensorList };

Slot slot_of(c10::TypePtr type) {
  if (auto optional = type->cast<c10::OptionalType>()) type = optional->getElementType();
  switch (type->kind()) {
    case c10::TypeKind::FloatType: return Slot::Float;
    case c10::TypeKind::BoolType: return Slot::Bool;
    case c10::TypeKind::ListType: break;
    default: return Slot::Other;
  }
  auto element = type->expectRef<c10::ListType>().getElementType();
  switch (element->kind()) {
    case c10::TypeKind::FloatType: return Slot::FloatList;
    case c10::TypeKind::BoolType: return Slot::BoolList;
    case c10::TypeKind::NumberType: return Slot::NumberList;
    case c10::TypeKind::TensorType: return Slot::TensorList;
    case c10::TypeKind::OptionalType: return Slot::OptionalTensorList;
    default: return Slot::IntList;
  }
}

struct Operator {
  c10::OperatorHandle handle;
  std::vector<Slot> slots;
  std::vector<Default> defaults;
};

template <class T>
c10::List<T> list(const Value& v) {
  c10::List<T> result;
  result.reserve(v.count);
  if (v.tag == kInts) {
    for (int64_t k = 0; k < v.count; ++k) result.push_back(static_cast<T>(static_cast<const int64_t*>(v.p)[k]));
  } else if (v.tag == kDoubles) {
    for (int64_t k = 0; k < v.count; ++k) result.push_back(static_cast<T>(static_cast<const double*>(v.p)[k]));
  } else {
    result.push_back(v.tag == kDouble ? static_cast<T>(v.d) : static_cast<T>(v.i));
  }
  return result;
}

IValue to_ivalue(const Value& v, Slot slot) {
  if (v.tag == kNone) return IValue();
  switch (slot) {
    case Slot::Float: return v.tag == kDouble ? v.d : static_cast<double>(v.i);
    case Slot::Bool: return v.i != 0;
    case Slot::IntList: return list<int64_t>(v);
    case Slot::FloatList: return list<double>(v);
    case Slot::BoolList: return list<bool>(v);
    case Slot::NumberList: {
      std::vector<at::Scalar> numbers;
      for (double d : list<double>(v)) numbers.emplace_back(d);
      return numbers;
    }
    case Slot::TensorList: {
      c10::List<Tensor> tensors;
      tensors.reserve(v.count);
      for (int64_t k = 0; k < v.count; ++k) tensors.push_back(borrow(static_cast<void* const*>(v.p)[k]));
      return tensors;
    }
    case Slot::OptionalTensorList: {
      c10::List<Optional<Tensor>> tensors;
      tensors.reserve(v.count);
      for (int64_t k = 0; k < v.count; ++k) {
        auto t = borrow(static_cast<void* const*>(v.p)[k]);
        tensors.push_back(t.defined() ? Optional<Tensor>(std::move(t)) : Optional<Tensor>());
      }
      return tensors;
    }
    case Slot::Other: break;
  }
  switch (v.tag) {
    case kTensor: return borrow(v.p);
    case kInt: return v.i;
    case kDouble: return v.d;
    case kBool: return v.i != 0;
    case kString: return std::string(static_cast<const char*>(v.p), v.count);
    case kDevice:
      return c10::Device(static_cast<c10::DeviceType>(v.i), static_cast<c10::DeviceIndex>(v.count));
    case kGenerator:
      return at::Generator(c10::intrusive_ptr<c10::GeneratorImpl>::reclaim_copy(
          static_cast<c10::GeneratorImpl*>(const_cast<void*>(v.p))));
    default: TORCH_CHECK(false, "argument of kind ", v.tag, " does not fit the operator's schema");
  }
}

void from_ivalue(IValue&& iv, Value& v) {
  v.count = 0;
  if (iv.isTensor()) {
    v.tag = kTensor;
    v.p = give(std::move(iv).toTensor());
  } else if (iv.isTensorList()) {
    v.tag = kTensors;
    list_result.clear();
    for (const Tensor& t : iv.toTensorList()) list_result.push_back(give(Tensor(t)));
    v.p = list_result.data();
    v.count = static_cast<int64_t>(list_result.size());
  } else if (iv.isInt()) {
    v.tag = kInt;
    v.i = iv.toInt();
  } else if (iv.isDouble()) {
    v.tag = kDouble;
    v.d = iv.toDouble();
  } else if (iv.isBool()) {
    v.tag = kBool;
    v.i = iv.toBool();
  } else {
    TORCH_CHECK(iv.isNone(), "a result of type ", iv.tagKind(), " has no managed form");
    v.tag = kNone;
  }
}

std::vector<Tensor> borrow_all(void* const* handles, int64_t n) {
  std::vector<Tensor> result;
  result.reserve(n);
  for (int64_t k = 0; k < n; ++k) result.push_back(borrow(handles[k]));
  return result;
}

at::Generator generator(void* handle) {
  return at::Generator(c10::intrusive_ptr<c10::GeneratorImpl>::reclaim_copy(static_cast<c10::GeneratorImpl*>(handle)));
}

}  // namespace

EXPORT const char* ts_error() { return last_error.c_str(); }

// ---- operators ----

EXPORT void* ts_operator(const char* name, const char* overload) {
  return guarded<void*>(nullptr, [&]() -> void* {
    auto handle = c10::Dispatcher::singleton().findSchemaOrThrow(name, overload);
    auto op = new Operator{handle, {}, {}};
    for (const auto& argument : handle.schema().arguments()) {
      op->slots.push_back(slot_of(argument.type()));
      op->defaults.push_back(argument.default_value());
    }
    return op;
  });
}

// Calls the operator; arguments that are not given take the schema's defaults. Returns the number of results, of which
// the first `capacity` are handed over, or -1.
EXPORT int32_t ts_call(const void* which, const Value* args, int32_t count, Value* results, int32_t capacity) {
  return guarded<int32_t>(-1, [&] {
    const auto& op = *static_cast<const Operator*>(which);
    torch::jit::Stack stack;
    stack.reserve(op.slots.size());
    TORCH_CHECK(count <= static_cast<int32_t>(op.slots.size()), op.handle.operator_name(), " takes ", op.slots.size(),
                " arguments, not ", count);
    for (int32_t k = 0; k < count; ++k) stack.push_back(to_ivalue(args[k], op.slots[k]));
    for (size_t k = count; k < op.slots.size(); ++k) {
      TORCH_CHECK(op.defaults[k].has_value(), op.handle.operator_name(), " needs its argument '",
                  op.handle.schema().arguments()[k].name(), "'");
      stack.push_back(*op.defaults[k]);
    }
    op.handle.callBoxed(&stack);
    auto n = static_cast<int32_t>(stack.size());
    for (int32_t k = 0; k < n && k < capacity; ++k) from_ivalue(std::move(stack[k]), results[k]);
    return n;
  });
}

// ---- tensors ----

EXPORT void ts_tensor_free(Handle t) {
  c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim(t);
}

EXPORT Handle ts_tensor_alias(Handle t) { return give(borrow(t)); }
EXPORT int32_t ts_tensor_dtype(Handle t) { return static_cast<int32_t>(c10::typeMetaToScalarType(t->dtype())); }
EXPORT int64_t ts_tensor_dim(Handle t) { return t->dim(); }
EXPORT int64_t ts_tensor_numel(Handle t) { return t->numel(); }
EXPORT int64_t ts_tensor_itemsize(Handle t) { return t->itemsize(); }
EXPORT int64_t ts_tensor_offset(Handle t) { return t->storage_offset(); }
EXPORT int32_t ts_tensor_is_contiguous(Handle t) { return t->is_contiguous(); }
EXPORT int32_t ts_tensor_is_leaf(Handle t) { return borrow(t).is_leaf(); }
EXPORT int32_t ts_tensor_is_sparse(Handle t) { return borrow(t).is_sparse(); }
EXPORT int32_t ts_tensor_device_type(Handle t) { return static_cast<int32_t>(t->device().type()); }
EXPORT int32_t ts_tensor_device_index(Handle t) { return t->device().index(); }
EXPORT int32_t ts_tensor_requires_grad(Handle t) { return borrow(t).requires_grad(); }
EXPORT void ts_tensor_sizes(Handle t, int64_t* into) {
  auto sizes = t->sizes();
  std::memcpy(into, sizes.data(), sizes.size() * sizeof(int64_t));
}
EXPORT void ts_tensor_strides(Handle t, int64_t* into) {
  auto strides = t->strides();
  std::memcpy(into, strides.data(), strides.size() * sizeof(int64_t));
}
EXPORT void* ts_tensor_data(Handle t) {
  return guarded<void*>(nullptr, [&] { return borrow(t).data_ptr(); });
}
EXPORT int32_t ts_tensor_set_requires_grad(Handle t, int32_t value) {
  return guarded(-1, [&] { return borrow(t).set_requires_grad(value != 0), 0; });
}
EXPORT int32_t ts_tensor_retain_grad(Handle t) {
  return guarded(-1, [&] { return borrow(t).retain_grad(), 0; });
}
EXPORT Handle ts_tensor_grad(Handle t) {
  return guarded<Handle>(nullptr, [&] { return give(Tensor(borrow(t).grad())); });
}
EXPORT int32_t ts_tensor_set_grad(Handle t, Handle grad) {
  return guarded(-1, [&] { return borrow(t).mutable_grad() = borrow(grad), 0; });
}

// ---- autograd ----

EXPORT int32_t ts_backward(void* const* tensors, void* const* gradients, int64_t count, int32_t retain_graph,
                           int32_t create_graph, void* const* inputs, int64_t inputs_count) {
  return guarded(-1, [&] {
    torch::autograd::backward(borrow_all(tensors, count), borrow_all(gradients, gradients ? count : 0),
                              retain_graph < 0 ? Optional<bool>() : Optional<bool>(retain_graph != 0),
                              create_graph != 0, borrow_all(inputs, inputs_count));
    return 0;
  });
}

EXPORT int32_t ts_grad(void* const* outputs, void* const* gradients, int64_t count, void* const* inputs,
                       int64_t inputs_count, int32_t retain_graph, int32_t create_graph, int32_t allow_unused,
                       Handle* results) {
  return guarded(-1, [&] {
    auto grads = torch::autograd::grad(
        borrow_all(outputs, count), borrow_all(inputs, inputs_count), borrow_all(gradients, gradients ? count : 0),
        retain_graph < 0 ? Optional<bool>() : Optional<bool>(retain_graph != 0), create_graph != 0,
        allow_unused != 0);
    for (size_t k = 0; k < grads.size(); ++k) results[k] = give(std::move(grads[k]));
    return 0;
  });
}

EXPORT int32_t ts_grad_enabled() { return at::GradMode::is_enabled(); }
EXPORT void ts_set_grad_enabled(int32_t value) { at::GradMode::set_enabled(value != 0); }
EXPORT int32_t ts_inference_enabled() { return c10::InferenceMode::is_enabled(); }
EXPORT void* ts_inference_enter(int32_t value) { return new c10::InferenceMode(value != 0); }
EXPORT void ts_inference_leave(void* guard) { delete static_cast<c10::InferenceMode*>(guard); }
EXPORT int32_t ts_anomaly_enabled() { return torch::autograd::AnomalyMode::is_enabled(); }
EXPORT int32_t ts_anomaly_checks_nan() { return torch::autograd::AnomalyMode::should_check_nan(); }
EXPORT void ts_set_anomaly(int32_t enabled, int32_t check_nan) {
  torch::autograd::AnomalyMode::set_enabled(enabled != 0, check_nan != 0);
}

// ---- Adam in one pass over memory, for dense CPU parameters ----

// AdamOptions in AdamKernel.cs has the same fields.
struct AdamOptions {
  double lr, beta1, beta2, eps, weight_decay, correction1, correction2;
  int32_t decoupled, maximize;
};

namespace {

template <class T>
__attribute__((target_clones("avx2", "default"))) void adam_range(T* __restrict p, const T* __restrict g,
                                                                   T* __restrict m, T* __restrict v, T* __restrict top,
                                                                   int64_t begin, int64_t end, const AdamOptions& o) {
  const T sign = o.maximize ? -1 : 1, shrink = o.decoupled ? 1 - o.lr * o.weight_decay : 1;
  const T decay = o.decoupled ? 0 : o.weight_decay, b1 = o.beta1, b2 = o.beta2, c1 = 1 - o.beta1, c2 = 1 - o.beta2;
  const T scale = 1 / std::sqrt(o.correction2), eps = o.eps, step = o.lr / o.correction1;
  if (top == nullptr) {
    for (int64_t k = begin; k < end; ++k) {
      const T x = p[k] * shrink, d = sign * g[k] + decay * x;
      m[k] = b1 * m[k] + c1 * d;
      v[k] = b2 * v[k] + c2 * d * d;
      p[k] = x - step * m[k] / (std::sqrt(v[k]) * scale + eps);
    }
  } else {
    for (int64_t k = begin; k < end; ++k) {
      const T x = p[k] * shrink, d = sign * g[k] + decay * x;
      m[k] = b1 * m[k] + c1 * d;
      v[k] = b2 * v[k] + c2 * d * d;
      top[k] = top[k] > v[k] ? top[k] : v[k];
      p[k] = x - step * m[k] / (std::sqrt(top[k]) * scale + eps);
    }
  }
}

template <class T>
void adam(Handle p, Handle g, Handle m, Handle v, Handle top, const AdamOptions& o) {
  auto data = [](Handle t) { return t == nullptr ? nullptr : borrow(t).data_ptr<T>(); };
  at::parallel_for(0, p->numel(), 32768, [&](int64_t begin, int64_t end) {
    adam_range<T>(data(p), data(g), data(m), data(v), data(top), begin, end, o);
  });
}

}  // namespace

// Each tensor is contiguous, on the CPU, and of the type of its parameter, float or double.
EXPORT int32_t ts_adam(const Handle* p, const Handle* g, const Handle* m, const Handle* v, const Handle* top,
                       int64_t count, const AdamOptions* o) {
  return guarded(-1, [&] {
    for (int64_t k = 0; k < count; ++k) {
      auto run = c10::typeMetaToScalarType(p[k]->dtype()) == at::kDouble ? adam<double> : adam<float>;
      run(p[k], g[k], m[k], v[k], top == nullptr ? nullptr : top[k], *o);
      p[k]->bump_version();
    }
    return 0;
  });
}

// ---- random numbers, threads, devices ----

EXPORT void* ts_generator_new(uint64_t seed, int32_t device_type, int32_t device_index) {
  return guarded<void*>(nullptr, [&]() -> void* {
    at::Generator g;
    if (device_type == 0) {
      g = at::detail::createCPUGenerator(seed);
    } else {
      c10::Device device(static_cast<c10::DeviceType>(device_type), static_cast<c10::DeviceIndex>(device_index));
      g = at::globalContext().defaultGenerator(device).clone();
      g.set_current_seed(seed);
    }
    return g.unsafeReleaseGeneratorImpl();
  });
}
EXPORT void* ts_generator_default() {
  return at::Generator(at::globalContext().defaultGenerator(at::kCPU)).unsafeReleaseGeneratorImpl();
}
EXPORT void ts_generator_free(void* g) {
  c10::intrusive_ptr<c10::GeneratorImpl>::reclaim(static_cast<c10::GeneratorImpl*>(g));
}
EXPORT void ts_generator_set_seed(void* g, uint64_t seed) {
  auto gen = generator(g);
  std::lock_guard<std::mutex> lock(gen.mutex());
  gen.set_current_seed(seed);
}
EXPORT uint64_t ts_generator_seed(void* g) { return generator(g).current_seed(); }
EXPORT uint64_t ts_generator_reseed(void* g) {
  auto gen = generator(g);
  std::lock_guard<std::mutex> lock(gen.mutex());
  return gen.seed();
}
EXPORT Handle ts_generator_state(void* g) {
  return guarded<Handle>(nullptr, [&] {
    auto gen = generator(g);
    std::lock_guard<std::mutex> lock(gen.mutex());
    return give(gen.get_state());
  });
}
EXPORT int32_t ts_generator_set_state(void* g, Handle state) {
  return guarded(-1, [&] {
    auto gen = generator(g);
    std::lock_guard<std::mutex> lock(gen.mutex());
    return gen.set_state(borrow(state)), 0;
  });
}

EXPORT int32_t ts_threads() { return at::get_num_threads(); }
EXPORT int32_t ts_interop_threads() { return at::get_num_interop_threads(); }
EXPORT int32_t ts_set_threads(int32_t n) {
  return guarded(-1, [&] { return at::set_num_threads(n), 0; });
}
EXPORT int32_t ts_set_interop_threads(int32_t n) {
  return guarded(-1, [&] { return at::set_num_interop_threads(n), 0; });
}
EXPORT int32_t ts_cuda_available() { return at::globalContext().hasCUDA(); }
EXPORT int32_t ts_cuda_count() {
  return guarded(0, [&]() -> int32_t {
    return at::globalContext().hasCUDA() ? c10::impl::getDeviceGuardImpl(c10::DeviceType::CUDA)->deviceCount() : 0;
  });
}
EXPORT int32_t ts_cuda_manual_seed(uint64_t seed, int32_t all) {
  return guarded(-1, [&] {
    int n = ts_cuda_count();
    for (int k = 0; k < (all ? n : std::min(n, 1)); ++k) {
      auto gen = at::globalContext().defaultGenerator(c10::Device(at::kCUDA, k));
      std::lock_guard<std::mutex> lock(gen.mutex());
      gen.set_current_seed(seed);
    }
    return 0;
  });
}
// Waits for the device's current stream, which is where all work of this library is.
EXPORT int32_t ts_cuda_synchronize(int32_t index) {
  return guarded(-1, [&] {
    const auto* cuda = c10::impl::getDeviceGuardImpl(c10::DeviceType::CUDA);
    auto device = index < 0 ? cuda->getDevice() : c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
    cuda->synchronizeStream(cuda->getStream(device));
    return 0;
  });
}
