// Models that are ready to train or to load; not part of rill.h.
#pragma once

#include <rill/nn/models/gpt.h>
#include <rill/nn/models/inception_slim.h>
#include <rill/nn/models/inception_v3.h>
#include <rill/nn/models/lenet.h>
#include <rill/nn/models/lstm_language_model.h>
#include <rill/nn/models/mlp.h>
#include <rill/nn/models/resnet.h>
