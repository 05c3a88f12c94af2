// The training that mnist_train and mnist_ablations run.
#pragma once

#include <string>

#include "examples/mnist/inference.h"
#include "examples/support/checkpoints.h"

namespace mnist {

struct Settings {
  std::int64_t steps = 8000, batch = 100, hidden = 500, seed = 1;
  double lr = 0.2;     // of the first step (the course on MNIST: 0.8)
  double decay = 0.99; // the rate is multiplied by this once per epoch; 1: constant
  double l2 = 1e-4;    // lambda of lambda sum(w^2) / 2 over the weights; 0: none
  double ema = 0.99;   // decay of the moving average; 0: none
  bool activation = true;

  examples::Checkpoints checkpoints;
  std::int64_t report_every = 500;  // steps between plain lines of progress; 0: silent
};

struct Result {
  double validation = 0, test = 0;          // of the averaged weights
  double raw_validation = 0, raw_test = 0;  // of the weights themselves
  double seconds = 0;
};

/// Throws ValueError when the loss is no longer finite, and what Checkpoints::start throws.
Result train(const Settings& settings, rill::data::Mnist& data);

}  // namespace mnist
