// The model out of what the page holds.

// float16 (IEEE 754): 1 sign bit, 5 bits of exponent of bias 15, 10 of mantissa.
function floatOfHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = bits >> 10 & 0x1f, mantissa = bits & 0x3ff;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}

// Little-endian bytes as floats.
function floatsOf(bytes, dtype) {
  if (dtype === 'float32') return new Float32Array(bytes.buffer);
  const halves = new Uint16Array(bytes.buffer), values = new Float32Array(halves.length), words = new Uint32Array(values.buffer);
  for (let i = 0; i < halves.length; ++i)
    if (dtype === 'float16') values[i] = floatOfHalf(halves[i]);
    else words[i] = halves[i] << 16;  // bfloat16: the upper half of a float
  return values;
}

// Weights by path, { values, shape }; textOf(i) is the base64 of those that data.weights[i] names.
function* readWeights(data, textOf) {
  const weights = new Map();
  for (const [i, { name, shape }] of data.weights.entries()) {
    weights.set(name, { values: floatsOf(bytesOf(textOf(i)), data.dtype), shape });
    yield i + 1;
  }
  return weights;
}

function modelOf(data, weights) {
  return data.family === 'gpt2' ? new GPT2(data.settings, weights) : new Llama(data.settings, weights, data.frequencies);
}
