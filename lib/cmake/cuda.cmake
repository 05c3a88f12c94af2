# The CUDA backend: backends/cuda/*.cpp for the host, backends/cuda/kernels/*.cu for the device.
if(NOT CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_COMPILER ${RILL_NVCC})
endif()
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 100)  # the newest also as PTX, for what comes after it
endif()
enable_language(CUDA)
find_package(CUDAToolkit 13 REQUIRED)
if(RILL_CCACHE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${RILL_CCACHE})
endif()

file(GLOB cuda_host CONFIGURE_DEPENDS backends/cuda/*.cpp)
file(GLOB cuda_kernels CONFIGURE_DEPENDS backends/cuda/kernels/*.cu)
set_source_files_properties(${cuda_host} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
target_sources(rill PRIVATE ${cuda_host})
target_compile_definitions(rill PRIVATE RILL_WITH_CUDA)
find_path(RILL_CUDNN_INCLUDE cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS} REQUIRED)
find_path(RILL_NCCL_INCLUDE nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
# Only headers of the other libraries: backends/cuda/libraries.h loads them when a device is used.
target_link_libraries(rill PRIVATE CUDA::cudart_static ${CMAKE_DL_LIBS})
target_include_directories(rill PRIVATE ${RILL_CUDNN_INCLUDE})
if(RILL_NCCL_INCLUDE)
  target_include_directories(rill PRIVATE ${RILL_NCCL_INCLUDE})
  target_compile_definitions(rill PRIVATE RILL_WITH_NCCL)
endif()

# -fmad=false: as on the CPU, a * b + c is rounded twice unless a formula asks for fma. Warnings are errors, spilled registers
# included;
# 186 speaks of templates for unsigned types ("pointless comparison with zero").
add_library(rill_cuda_kernels OBJECT ${cuda_kernels})
target_include_directories(rill_cuda_kernels PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_compile_options(rill_cuda_kernels PRIVATE -std=c++20 -fmad=false --expt-relaxed-constexpr --extended-lambda -Werror all-warnings -Xptxas=-warn-spills,-Werror -diag-suppress 186 -Xcompiler=-Wall,-Wextra,-fvisibility=hidden)
set_target_properties(rill_cuda_kernels PROPERTIES POSITION_INDEPENDENT_CODE ON CUDA_RUNTIME_LIBRARY Static)
target_sources(rill PRIVATE $<TARGET_OBJECTS:rill_cuda_kernels>)
