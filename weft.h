// Everything: `#include <weft/weft.h>`. The bridge to xtensor, <weft/lib/xt.h>, is included by those who want it.
#pragma once

#include <weft/lib/array.h>
#include <weft/lib/available_memory.h>
#include <weft/lib/checkpoint.h>
#include <weft/lib/cores.h>
#include <weft/lib/dry_run.h>
#include <weft/lib/dtype.h>
#include <weft/lib/error.h>
#include <weft/lib/file.h>
#include <weft/lib/hash.h>
#include <weft/lib/hdf5_file.h>
#include <weft/lib/mask.h>
#include <weft/lib/math.h>
#include <weft/lib/memory.h>
#include <weft/lib/parallel.h>
#include <weft/lib/profile.h>
#include <weft/lib/random.h>
#include <weft/lib/safetensors.h>
#include <weft/lib/sampling.h>
#include <weft/lib/shape.h>
#include <weft/lib/state_dict.h>

#include <weft/autograd/arithmetic.h>
#include <weft/autograd/attention.h>
#include <weft/autograd/composed.h>
#include <weft/autograd/dropout.h>
#include <weft/autograd/gradcheck.h>
#include <weft/autograd/indexing.h>
#include <weft/autograd/loss.h>
#include <weft/autograd/named_tensor.h>
#include <weft/autograd/node.h>
#include <weft/autograd/normalization.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/pointwise.h>
#include <weft/autograd/product.h>
#include <weft/autograd/recompute.h>
#include <weft/autograd/reduction.h>
#include <weft/autograd/rotary.h>
#include <weft/autograd/shaping.h>
#include <weft/autograd/tensor.h>

#include <weft/layers/dropout.h>
#include <weft/layers/embedding.h>
#include <weft/layers/feed_forward.h>
#include <weft/layers/init.h>
#include <weft/layers/layer_norm.h>
#include <weft/layers/linear.h>
#include <weft/layers/module.h>
#include <weft/layers/multi_head_attention.h>
#include <weft/layers/positional_encoding.h>
#include <weft/layers/rms_norm.h>
#include <weft/layers/transformer.h>

#include <weft/layers/models/generation.h>
#include <weft/layers/models/gpt.h>

#include <weft/optim/adam.h>
#include <weft/optim/clip.h>
#include <weft/optim/optimizer.h>
#include <weft/optim/schedule.h>
#include <weft/optim/sgd.h>
#include <weft/optim/train_step.h>

#include <weft/data/dataset.h>
#include <weft/data/grammar.h>
#include <weft/data/loader.h>
#include <weft/data/stories.h>
#include <weft/data/text.h>
#include <weft/data/token_cache.h>
#include <weft/data/tokenizer.h>
#include <weft/data/tokens.h>
#include <weft/data/utf8.h>
