// Functions of cuDNN that only tests call.
#pragma once

#include "backends/cuda/libraries.h"

#define FROM_CUDNN(function) reinterpret_cast<decltype(&::function)>(rill::cuda::cudnn::library.find(#function))
