// Matrix products by cuBLASLt. Descriptors, layouts and the algorithm are looked up by shape, strides, alignment and precision, so that a
// product that came before costs one look-up and one launch. cuBLAS stores by columns: out = a b is computed as its transpose b^T a^T.
#define RILL_GPU cuda
#include "backends/cuda/gemm.h"

#include <bit>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "backends/cuda/gemm_plan.h"
#include "backends/cuda/libraries.h"
#include "backends/cuda/runtime.h"
#include "backends/cuda/kernels/dense.h"
#include "backends/cuda/kernels/matmul.h"
#include "lib/core/check.h"
#include "lib/core/op_range.h"
#include <rill/cuda/device.h>

namespace rill::cuda {
namespace {

constexpr std::size_t kWorkspace = 32 << 20;
constexpr std::size_t kMostPlans = 4096;

void check_blas(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) [[likely]] return;
  const char* op = profiler::current_op();
  fail<Error>(*op ? op : "matmul", "{} of cuBLASLt failed: {}", what, cublasLtGetStatusString(status));
}

cudaDataType_t data_type(Dtype d) {
  switch (d) {
    case Dtype::float16: return CUDA_R_16F;
    case Dtype::bfloat16: return CUDA_R_16BF;
    case Dtype::float64: return CUDA_R_64F;
    default: return CUDA_R_32F;
  }
}

/// Everything that decides which algorithm runs.
struct Key {
  std::int64_t m, n, k, lead_a, lead_b, lead_c, step_a, step_b, step_c, batch;
  int device, alignment_a, alignment_b, alignment_c;
  Dtype dtype, result;  // of a and b, and of c
  bool transposed_a, transposed_b, tf32;
  cublasLtEpilogue_t epilogue;
  int alignment_bias;
  auto operator<=>(const Key&) const = default;
};
int alignment_of(const void* p) { return 1 << std::min(8, std::countr_zero(reinterpret_cast<std::uintptr_t>(p) | 256)); }

struct Descriptors {
  cublasLtMatmulDesc_t product = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, c = nullptr;
  cublasLtMatmulAlgo_t algorithm{};
  std::size_t workspace = 0;
  bool found = false;  // an algorithm
  Descriptors() = default;
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;
  ~Descriptors() {
    if (a) (void)cublasLtMatrixLayoutDestroy(a);
    if (b) (void)cublasLtMatrixLayoutDestroy(b);
    if (c) (void)cublasLtMatrixLayoutDestroy(c);
    if (product) (void)cublasLtMatmulDescDestroy(product);
  }
};

cublasLtMatrixLayout_t layout_of(Dtype dtype, std::int64_t rows, std::int64_t columns, std::int64_t leading, std::int64_t step, std::int64_t batch) {
  cublasLtMatrixLayout_t l = nullptr;
  check_blas(cublasLtMatrixLayoutCreate(&l, data_type(dtype), static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns), leading), "a layout");
  if (batch > 1) {
    const auto count = static_cast<std::int32_t>(batch);
    check_blas(cublasLtMatrixLayoutSetAttribute(l, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count), "a layout");
    check_blas(cublasLtMatrixLayoutSetAttribute(l, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &step, sizeof step), "a layout");
  }
  return l;
}

std::shared_ptr<const Descriptors> make_descriptors(cublasLtHandle_t handle, const Key& key) {
  auto d = std::make_shared<Descriptors>();
  const bool wide = key.dtype == Dtype::float64;
  const cublasComputeType_t compute = wide ? CUBLAS_COMPUTE_64F : key.tf32 && key.dtype == Dtype::float32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
  check_blas(cublasLtMatmulDescCreate(&d->product, compute, wide ? CUDA_R_64F : CUDA_R_32F), "a product");
  const cublasOperation_t yes = CUBLAS_OP_T;
  if (key.transposed_a) check_blas(cublasLtMatmulDescSetAttribute(d->product, CUBLASLT_MATMUL_DESC_TRANSA, &yes, sizeof yes), "a product");
  if (key.transposed_b) check_blas(cublasLtMatmulDescSetAttribute(d->product, CUBLASLT_MATMUL_DESC_TRANSB, &yes, sizeof yes), "a product");
  if (key.epilogue != CUBLASLT_EPILOGUE_DEFAULT) {
    const void* like = reinterpret_cast<const void*>(static_cast<std::uintptr_t>(key.alignment_bias));  // an address that is aligned as the bias will be
    check_blas(cublasLtMatmulDescSetAttribute(d->product, CUBLASLT_MATMUL_DESC_EPILOGUE, &key.epilogue, sizeof key.epilogue), "a product");
    check_blas(cublasLtMatmulDescSetAttribute(d->product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &like, sizeof like), "a product");
  }
  d->a = key.transposed_a ? layout_of(key.dtype, key.k, key.m, key.lead_a, key.step_a, key.batch) : layout_of(key.dtype, key.m, key.k, key.lead_a, key.step_a, key.batch);
  d->b = key.transposed_b ? layout_of(key.dtype, key.n, key.k, key.lead_b, key.step_b, key.batch) : layout_of(key.dtype, key.k, key.n, key.lead_b, key.step_b, key.batch);
  d->c = layout_of(key.result, key.m, key.n, key.lead_c, key.step_c, key.batch);

  cublasLtMatmulPreference_t preference = nullptr;
  check_blas(cublasLtMatmulPreferenceCreate(&preference), "a preference");
  const std::unique_ptr<std::remove_pointer_t<cublasLtMatmulPreference_t>, void (*)(cublasLtMatmulPreference_t)> owner(preference, [](cublasLtMatmulPreference_t p) { (void)cublasLtMatmulPreferenceDestroy(p); });
  const auto set = [&](cublasLtMatmulPreferenceAttributes_t name, auto value) { check_blas(cublasLtMatmulPreferenceSetAttribute(preference, name, &value, sizeof value), "a preference"); };
  set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspace);
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, static_cast<std::uint32_t>(key.alignment_a));
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, static_cast<std::uint32_t>(key.alignment_b));
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, static_cast<std::uint32_t>(key.alignment_c));
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, static_cast<std::uint32_t>(key.alignment_c));
  cublasLtMatmulHeuristicResult_t best{};
  int found = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle, d->product, d->a, d->b, d->c, d->c, preference, 1, &best, &found);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || (status == CUBLAS_STATUS_SUCCESS && found == 0)) return d;
  check_blas(status, "the choice of an algorithm");
  d->found = true;
  d->algorithm = best.algo;
  d->workspace = best.workspaceSize;
  return d;
}

class Plans {
 public:
  std::shared_ptr<const Descriptors> find(const Key& key) {
    const std::lock_guard lock(mutex_);
    if (const auto at = plans_.find(key); at != plans_.end()) return at->second;
    if (plans_.size() >= kMostPlans) plans_.clear();
    return plans_[key] = make_descriptors(handle(key.device), key);
  }
  cublasLtHandle_t handle(int device) {  // under the lock, or after `find`
    cublasLtHandle_t& h = handles_[device];
    if (!h) check_blas(cublasLtCreate(&h), "the start");
    return h;
  }

 private:
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const Descriptors>> plans_;
  std::map<int, cublasLtHandle_t> handles_;
};
Plans& plans() {
  static auto* p = new Plans;  // never destroyed: the driver may be gone when static destructors run
  return *p;
}

/// What a product does besides: adds a bias to each column, or sums the right operand over k into `bias`.
struct Besides {
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  void* bias = nullptr;
};
/// c = a b or c += a b, stored by columns. False when cuBLASLt has no algorithm for it with what it is to do besides.
bool multiply(Dtype dtype, Dtype result, const StoredMatrix& a, const StoredMatrix& b, const StoredMatrix& c, std::int64_t k, std::int64_t batch, bool accumulate, const Besides& besides = {}) {
  const Key key{c.rows, c.columns, k, a.leading, b.leading, c.leading, a.batch_step, b.batch_step, c.batch_step, batch, current_device(),
                alignment_of(a.data), alignment_of(b.data), alignment_of(c.data), dtype, result, a.transposed, b.transposed, tf32_allowed(), besides.epilogue, alignment_of(besides.bias)};
  const auto d = plans().find(key);
  if (!d->found && besides.bias) return false;
  if (!d->found) fail<Unimplemented>("matmul", "cuBLASLt has no algorithm for {} [{}, {}] by [{}, {}]", key.dtype, key.m, key.k, key.k, key.n);
  cublasLtMatmulDescOpaque_t with_bias;  // the plan serves other threads
  cublasLtMatmulDesc_t product = d->product;
  if (besides.bias) {
    with_bias = *d->product;
    product = &with_bias;
    check_blas(cublasLtMatmulDescSetAttribute(product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &besides.bias, sizeof besides.bias), "a product");
  }
  const Scratch workspace(static_cast<std::int64_t>(d->workspace));
  const float one = 1, beta = accumulate ? 1.0f : 0.0f;
  const double wide_one = 1, wide_beta = accumulate ? 1 : 0;
  const bool wide = dtype == Dtype::float64;
  void* out = c.data;
  check_blas(cublasLtMatmul(plans().handle(key.device), product, wide ? static_cast<const void*>(&wide_one) : &one, a.data, d->a, b.data, d->b,
                            wide ? static_cast<const void*>(&wide_beta) : &beta, out, d->c, out, d->c, &d->algorithm, workspace.as<void>(), d->workspace, static_cast<cudaStream_t>(stream())),
             "the product");
  launched();
  return true;
}
bool multiply(Dtype dtype, const Product& p, const Besides& besides) { return multiply(dtype, dtype, p.left, p.right, p.result, p.k, 1, false, besides); }

/// Epilogues know float32 and 16-bit floats.
bool has_epilogues(Dtype d) { return is_floating(d) && d != Dtype::float64; }
bool linear_bias(const View& x, const View& w, const View& b, const View& y) {
  if (!has_epilogues(y.dtype) || y.numel == 0 || w.sizes[1] == 0 || !x.contiguous || !b.contiguous || !adjacent(w)) return false;
  return multiply(y.dtype, linear_product(x, w, y), {CUBLASLT_EPILOGUE_BIAS, b.data});
}
bool linear_gradients(const View& g, const View& x, const View& dw, const View& db) {
  if (!has_epilogues(g.dtype) || g.numel == 0 || dw.numel == 0 || !g.contiguous || !x.contiguous) return false;
  return multiply(g.dtype, weight_product(g, x, dw), {CUBLASLT_EPILOGUE_BGRADB, db.data});
}

void gemm(const View& a, const View& b, const View& out, bool accumulate) {
  if (!is_floating(out.dtype)) return matmul(a, b, out, accumulate);
  if (out.numel == 0) return;
  if (a.sizes[a.rank - 1] == 0) {
    if (!accumulate) matmul(a, b, out, false);  // writes zeros
    return;
  }
  Dense dense_a, dense_b;
  for_each_product(adjacent(a) ? a : dense_a.copy_of(a), adjacent(b) ? b : dense_b.copy_of(b), out, [&](const StoredMatrix& left, const StoredMatrix& right, const StoredMatrix& result, std::int64_t k, std::int64_t batch) {
    multiply(a.dtype, out.dtype, left, right, result, k, batch, accumulate);
  });
}

}  // namespace

void fill_gemm(LinalgKernels& k) {
  k.gemm = &gemm;
  k.linear = {&linear_bias, &linear_gradients};
}

}  // namespace rill::cuda
