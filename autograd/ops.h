// All operations on tensors, by family.
#pragma once

#include <weft/autograd/additive_attention.h>
#include <weft/autograd/arithmetic.h>
#include <weft/autograd/attention.h>
#include <weft/autograd/convolution.h>
#include <weft/autograd/dropout.h>
#include <weft/autograd/indexing.h>
#include <weft/autograd/loss.h>
#include <weft/autograd/normalization.h>
#include <weft/autograd/pointwise.h>
#include <weft/autograd/product.h>
#include <weft/autograd/recurrent.h>
#include <weft/autograd/reduction.h>
#include <weft/autograd/rotary.h>
#include <weft/autograd/shaping.h>
