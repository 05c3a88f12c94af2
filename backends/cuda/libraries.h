// What the backend calls of CUDA's libraries, under the libraries' own names. None of them is linked: a call of a function that is not listed here does
// not link either.
#pragma once

#include <cublasLt.h>
#include <cublas_v2.h>
#include <cudnn.h>
#include <cusolverDn.h>
#ifdef RILL_WITH_NCCL
#include <nccl.h>
#endif

#include "backends/cuda/library.h"

namespace rill::cuda {

/// All of the libraries below.
std::span<Library* const> libraries();

#define RILL_TEXT_(x) #x
#define RILL_TEXT(x) RILL_TEXT_(x)  // of what a macro stands for: cublasCreate is cublasCreate_v2, a major version is a number
#define RILL_FUNCTION(f) inline constinit const Function<decltype(::f)> f{library, RILL_TEXT(f)};
#define RILL_ADDRESS(f) &f,
#define RILL_LIBRARY(id, name, file, list)                                \
  namespace id {                                                          \
  extern Library library;                                                 \
  list(RILL_FUNCTION)                                                     \
  inline constexpr const AnyFunction* kFunctions[] = {list(RILL_ADDRESS)}; \
  inline constinit Library library{name, file, kFunctions};               \
  }                                                                       \
  using namespace id;

#define RILL_CUBLASLT(f)                                                                                                                \
  f(cublasLtCreate) f(cublasLtGetStatusString) f(cublasLtMatmul) f(cublasLtMatmulAlgoGetHeuristic)                                      \
  f(cublasLtMatmulDescCreate) f(cublasLtMatmulDescDestroy) f(cublasLtMatmulDescSetAttribute)                                            \
  f(cublasLtMatmulPreferenceCreate) f(cublasLtMatmulPreferenceDestroy) f(cublasLtMatmulPreferenceSetAttribute)                          \
  f(cublasLtMatrixLayoutCreate) f(cublasLtMatrixLayoutDestroy) f(cublasLtMatrixLayoutSetAttribute)
RILL_LIBRARY(cublaslt, "cuBLASLt", "libcublasLt.so." RILL_TEXT(CUBLAS_VER_MAJOR), RILL_CUBLASLT)

#define RILL_CUBLAS(f) f(cublasCreate) f(cublasGetStatusString) f(cublasSetStream) f(cublasStrsm) f(cublasDtrsm)
RILL_LIBRARY(cublas, "cuBLAS", "libcublas.so." RILL_TEXT(CUBLAS_VER_MAJOR), RILL_CUBLAS)

#define RILL_CUSOLVER_REAL(f, routine) f(cusolverDnS##routine) f(cusolverDnD##routine)
#define RILL_CUSOLVER(f)                                                                                                                \
  f(cusolverDnCreate) f(cusolverDnSetStream)                                                                                            \
  RILL_CUSOLVER_REAL(f, getrf) RILL_CUSOLVER_REAL(f, getrf_bufferSize) RILL_CUSOLVER_REAL(f, getrs)                                     \
  RILL_CUSOLVER_REAL(f, potrf) RILL_CUSOLVER_REAL(f, potrf_bufferSize)                                                                  \
  RILL_CUSOLVER_REAL(f, geqrf) RILL_CUSOLVER_REAL(f, geqrf_bufferSize) RILL_CUSOLVER_REAL(f, orgqr) RILL_CUSOLVER_REAL(f, orgqr_bufferSize) \
  RILL_CUSOLVER_REAL(f, gesvd) RILL_CUSOLVER_REAL(f, gesvd_bufferSize) RILL_CUSOLVER_REAL(f, syevd) RILL_CUSOLVER_REAL(f, syevd_bufferSize)
RILL_LIBRARY(cusolver, "cuSOLVER", "libcusolver.so." RILL_TEXT(CUSOLVER_VER_MAJOR), RILL_CUSOLVER)

#define RILL_CUDNN(f)                                                                                                                   \
  f(cudnnCreate) f(cudnnSetStream) f(cudnnGetErrorString)                                                                               \
  f(cudnnBackendCreateDescriptor) f(cudnnBackendDestroyDescriptor) f(cudnnBackendExecute) f(cudnnBackendFinalize)                       \
  f(cudnnBackendGetAttribute) f(cudnnBackendSetAttribute)                                                                               \
  f(cudnnCreateTensorDescriptor) f(cudnnDestroyTensorDescriptor) f(cudnnSetTensorNdDescriptor)                                          \
  f(cudnnCreateFilterDescriptor) f(cudnnDestroyFilterDescriptor) f(cudnnSetFilterNdDescriptor)                                          \
  f(cudnnCreateConvolutionDescriptor) f(cudnnDestroyConvolutionDescriptor) f(cudnnSetConvolutionNdDescriptor)                           \
  f(cudnnSetConvolutionGroupCount) f(cudnnSetConvolutionMathType)                                                                       \
  f(cudnnGetConvolutionForwardAlgorithm_v7) f(cudnnGetConvolutionBackwardDataAlgorithm_v7) f(cudnnGetConvolutionBackwardFilterAlgorithm_v7) \
  f(cudnnConvolutionForward) f(cudnnConvolutionBackwardData) f(cudnnConvolutionBackwardFilter)                                          \
  f(cudnnCreateRNNDescriptor) f(cudnnDestroyRNNDescriptor) f(cudnnSetRNNDescriptor_v8)                                                  \
  f(cudnnCreateRNNDataDescriptor) f(cudnnDestroyRNNDataDescriptor) f(cudnnSetRNNDataDescriptor)                                         \
  f(cudnnGetRNNWeightSpaceSize) f(cudnnGetRNNTempSpaceSizes) f(cudnnGetRNNWeightParams)                                                 \
  f(cudnnRNNForward) f(cudnnRNNBackwardData_v8) f(cudnnRNNBackwardWeights_v8)
RILL_LIBRARY(cudnn, "cuDNN", "libcudnn.so." RILL_TEXT(CUDNN_MAJOR), RILL_CUDNN)

#ifdef RILL_WITH_NCCL
#define RILL_NCCL(f) f(ncclAllReduce) f(ncclCommInitAll) f(ncclGetErrorString) f(ncclGroupStart) f(ncclGroupEnd)
RILL_LIBRARY(nccl, "NCCL", "libnccl.so." RILL_TEXT(NCCL_MAJOR), RILL_NCCL)
#endif

}  // namespace rill::cuda
