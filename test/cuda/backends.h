// Every test of ops on a CUDA device runs twice: on the emulation, and on a real device, where it is skipped visibly without one.
#pragma once

#include <memory>

#include <rill/cuda/device.h>

#include "test/cuda/emulation.h"
#include "test/support/catch.h"

// Catch2 before version 3 knows no SKIP: the text is what ctest looks for (test/CMakeLists.txt).
#ifndef SKIP
#define SKIP(text)                        \
  do {                                    \
    WARN("skipped: " << text);            \
    return;                               \
  } while (false)
#endif

#define RILL_DEVICE_TEST(function, name, tags)                                    \
  TEST_CASE(name ", emulated", "[cuda][emulated]" tags) {                         \
    const rill::emulated::Emulation here;                                         \
    function();                                                                   \
  }                                                                               \
  TEST_CASE(name, "[cuda][device]" tags) {                                        \
    if (!rill::cuda::is_available()) SKIP(rill::cuda::why_unavailable());         \
    function();                                                                   \
    rill::cuda::synchronize();                                                    \
  }
