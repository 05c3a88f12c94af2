// The whole library. No third-party header stands behind it; bridges to other libraries are in rill/interop/.
#pragma once

#include <rill/autograd/backward.h>
#include <rill/autograd/grad_mode.h>
#include <rill/core/tensor.h>
#include <rill/core/threads.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/linalg.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>
