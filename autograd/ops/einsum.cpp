#include <weft/autograd/ops.h>
#include <weft/autograd/ops/einsum.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace weft {

namespace {

/// A tensor whose axes have letters.
struct Lettered {
  Tensor x;
  std::string letters;
};

bool has(const std::string& letters, char letter) { return letters.find(letter) != std::string::npos; }

struct Equation {
  std::vector<std::string> inputs;
  std::string output;
};

Equation parsed(const std::string& equation) {
  std::string text;
  for (const char c : equation)
    if (c != ' ') text += c;
  const size_t arrow = text.find("->");
  Equation result{{""}, arrow == std::string::npos ? "" : text.substr(arrow + 2)};
  std::map<char, int> uses;
  for (const char c : text.substr(0, arrow)) {
    if (c == ',') {
      result.inputs.emplace_back();
    } else {
      if (!std::isalpha(static_cast<unsigned char>(c)))
        fail<ValueError>("einsum: '", c, "' in \"", equation, "\" is no letter");
      if (has(result.inputs.back(), c))
        fail<ValueError>("einsum: the letter ", c, " stands twice for one tensor in \"", equation, "\"");
      result.inputs.back() += c;
      ++uses[c];
    }
  }
  if (arrow == std::string::npos)
    for (const auto& [letter, count] : uses)
      if (count == 1) result.output += letter;
  for (const char c : result.output)
    if (!uses.contains(c) || std::ranges::count(result.output, c) > 1)
      fail<ValueError>("einsum: the result's '", c, "' in \"", equation,
                       uses.contains(c) ? "\" stands twice" : "\" is no letter of a tensor");
  return result;
}

/// Without the letters that nobody needs.
Lettered summed(const Lettered& a, const std::string& needed) {
  std::vector<int> axes;
  std::string kept;
  for (size_t i = 0; i < a.letters.size(); ++i) {
    if (has(needed, a.letters[i])) {
      kept += a.letters[i];
    } else {
      axes.push_back(static_cast<int>(i));
    }
  }
  return axes.empty() ? a : Lettered{sum(a.x, axes), kept};
}

Tensor permuted(const Lettered& a, const std::string& order) {
  std::vector<int> axes;
  for (const char letter : order) axes.push_back(static_cast<int>(a.letters.find(letter)));
  return std::ranges::is_sorted(axes) ? a.x : permute(a.x, axes);
}

/// Of both, with the letters that the result or a later tensor needs.
Lettered product(const Lettered& a, const Lettered& b, const std::string& needed) {
  std::string batch, left, right, inner;
  std::map<char, int64_t> extents;
  for (size_t i = 0; i < b.letters.size(); ++i) {
    extents[b.letters[i]] = b.x.dim(static_cast<int>(i));
    if (!has(a.letters, b.letters[i])) right += b.letters[i];
  }
  for (size_t i = 0; i < a.letters.size(); ++i) {
    const char letter = a.letters[i];
    extents[letter] = a.x.dim(static_cast<int>(i));
    (has(b.letters, letter) ? has(needed, letter) ? batch : inner : left) += letter;
  }
  const auto extent_of = [&](const std::string& letters) {
    int64_t extent = 1;
    for (const char letter : letters) extent *= extents[letter];
    return extent;
  };
  const int64_t B = extent_of(batch), L = extent_of(left), R = extent_of(right), K = extent_of(inner);
  Tensor x = reshape(permuted(a, batch + left + inner), Shape{B, L, K});
  Tensor y = reshape(permuted(b, batch + inner + right), Shape{B, K, R});
  // Without a batch it is one matrix by one matrix, whose gradient needs no sum over a batch.
  if (batch.empty()) x = reshape(x, Shape{L, K}), y = reshape(y, Shape{K, R});
  const std::string letters = batch + left + right;
  std::vector<int64_t> shape;
  for (const char letter : letters) shape.push_back(extents[letter]);
  return {reshape(matmul(x, y), Shape(shape)), letters};
}

}  // namespace

Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands) {
  const Equation wanted = parsed(equation);
  if (wanted.inputs.size() != operands.size())
    fail<ValueError>("einsum: \"", equation, "\" is of ", wanted.inputs.size(), " tensors, not of ",
                     operands.size());
  std::map<char, int64_t> extents;
  for (size_t k = 0; k < operands.size(); ++k) {
    if (operands[k].rank() != std::ssize(wanted.inputs[k]))
      fail<ShapeError>("einsum: tensor ", k, " is ", operands[k].shape(), ", but has ",
                       wanted.inputs[k].size(), " letters in \"", equation, "\"");
    for (int axis = 0; axis < operands[k].rank(); ++axis) {
      const char letter = wanted.inputs[k][static_cast<size_t>(axis)];
      const auto [at, fresh] = extents.emplace(letter, operands[k].dim(axis));
      if (at->second != operands[k].dim(axis))
        fail<ShapeError>("einsum: ", letter, " is ", at->second, " and, in tensor ", k, " ",
                         operands[k].shape(), ", ", operands[k].dim(axis));
    }
  }
  Lettered result;
  for (size_t k = 0; k < operands.size(); ++k) {
    std::string later = wanted.output;
    for (size_t j = k + 1; j < operands.size(); ++j) later += wanted.inputs[j];
    const Lettered next = summed({operands[k], wanted.inputs[k]}, later + result.letters);
    result = k == 0 ? next : product(result, next, later);
    result = summed(result, later);
  }
  return permuted(result, wanted.output);
}

}  // namespace weft
