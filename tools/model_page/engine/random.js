// Random numbers by counter (lib/array/random.h): a number is a function of the seed and of where it is used, Philox4x32-10
// (Salmon et al. 2011). Words and keys are BigInts, a few for each token.
const low32 = (x) => BigInt.asUintN(32, x), low64 = (x) => BigInt.asUintN(64, x);

function philox([keyLow, keyHigh], sample, block) {
  let [a, b, c, d] = [low32(block), low32(block >> 32n), low32(sample), low32(sample >> 32n)];
  for (let round = 0; round < 10; ++round) {
    const first = 0xD2511F53n * a, second = 0xCD9E8D57n * c;
    [a, b, c, d] = [(second >> 32n) ^ b ^ keyLow, low32(second), (first >> 32n) ^ d ^ keyHigh, low32(first)];
    keyLow = low32(keyLow + 0x9E3779B9n);
    keyHigh = low32(keyHigh + 0xBB67AE85n);
  }
  return [a, b, c, d];
}

// The end of SplitMix64.
function mixed(x) {
  x = low64((x ^ x >> 30n) * 0xBF58476D1CE4E5B9n);
  x = low64((x ^ x >> 27n) * 0x94D049BB133111EBn);
  return x ^ x >> 31n;
}

// 64 bits that name a stream: FNV-1a of its ASCII name, then mixed.
function streamId(name) {
  let hash = 0xCBF29CE484222325n;
  for (const character of name) hash = low64((hash ^ BigInt(character.charCodeAt(0))) * 0x100000001B3n);
  return mixed(low64(hash + mixed(0n)));
}

const randomKey = (seed, stream) => philox([low32(seed), low32(seed >> 32n)], stream, 0n).slice(0, 2);

// In [0, 1), with 53 random bits.
function uniformAt(key, sample, draw) {
  const words = philox(key, sample, BigInt(draw >> 1)), at = 2 * (draw & 1);
  return Number((words[at] | words[at + 1] << 32n) >> 11n) * 2 ** -53;
}
