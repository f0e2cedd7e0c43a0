// All operations on tensors, by family.
#pragma once

#include <weft/autograd/ops/additive_attention.h>
#include <weft/autograd/ops/arithmetic.h>
#include <weft/autograd/ops/attention.h>
#include <weft/autograd/ops/convolution.h>
#include <weft/autograd/ops/ctc.h>
#include <weft/autograd/ops/dropout.h>
#include <weft/autograd/ops/einsum.h>
#include <weft/autograd/ops/indexing.h>
#include <weft/autograd/ops/loss.h>
#include <weft/autograd/ops/normalization.h>
#include <weft/autograd/ops/pointwise.h>
#include <weft/autograd/ops/product.h>
#include <weft/autograd/ops/recurrent.h>
#include <weft/autograd/ops/reduction.h>
#include <weft/autograd/ops/rotary.h>
#include <weft/autograd/ops/shaping.h>
