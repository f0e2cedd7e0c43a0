#include <weft/autograd/claims.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/math.h>
#include <weft/optim/parameter_groups.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <ranges>

namespace weft {

bool matches(std::string_view pattern, std::string_view name) {
  // After a mismatch, the last * takes one character more.
  size_t p = 0, n = 0, star = std::string_view::npos, taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::vector<std::string> patterns_in(std::string_view text) {
  std::vector<std::string> patterns;
  for (const auto part : std::views::split(text, ','))
    if (!part.empty()) patterns.emplace_back(part.begin(), part.end());
  return patterns;
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches(pattern, name); });
}

void check_patterns(const char* option, const char* thing, const std::vector<std::string>& names,
                    const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns)
    if (std::ranges::none_of(names, [&](const std::string& name) { return matches(pattern, name); }))
      fail<ValueError>(option, ": no ", thing, " is of the pattern '", pattern,
                       "'; there are: ", names.empty() ? "none" : joined(names));
}

void check_patterns(const char* option, const std::vector<NamedTensor>& parameters,
                    const std::vector<std::string>& patterns) {
  std::vector<std::string> names;
  for (const NamedTensor& p : parameters) names.push_back(p.name);
  check_patterns(option, "parameter", names, patterns);
}

namespace {

/// i of a path that says "blocks.i.".
std::optional<int64_t> block_of(const std::string& name) {
  constexpr std::string_view key = "blocks.";
  const size_t at = name.starts_with(key) ? 0 : name.find("." + std::string(key));
  if (at == std::string::npos) return {};
  const char* const digits = name.data() + at + (at == 0 ? 0 : 1) + key.size();
  int64_t block = 0;
  const auto [end, error] = std::from_chars(digits, name.data() + name.size(), block);
  if (error != std::errc() || end == digits || end == name.data() + name.size() || *end != '.') return {};
  return block;
}

}  // namespace

int64_t freeze(const std::vector<NamedTensor>& parameters, const std::vector<std::string>& patterns) {
  check_patterns("freeze", parameters, patterns);
  int64_t frozen = 0;
  for (NamedTensor p : parameters) {
    if (!matches_any(patterns, p.name)) continue;
    p.tensor.set_requires_grad(false);
    p.tensor.zero_grad();
    ++frozen;
  }
  return frozen;
}

std::vector<ParameterGroup> parameter_groups(const std::vector<NamedTensor>& parameters,
                                             const GroupOptions& options) {
  check_patterns("no_decay", parameters, options.no_decay);
  if (!(options.layer_decay > 0 && options.layer_decay <= 1))
    fail<ValueError>("layer_decay = ", options.layer_decay, " is not in (0, 1]");
  int64_t layers = 0;
  for (const NamedTensor& p : parameters) layers = std::max(layers, block_of(p.name).value_or(-1) + 1);

  std::vector<ParameterGroup> groups;
  bool before_blocks = layers > 0;
  for (const NamedTensor& p : parameters) {
    const std::optional<int64_t> block = block_of(p.name);
    before_blocks = before_blocks && !block;
    if (!p.tensor.requires_grad()) {
      leave_out(p.tensor, p.name);
      continue;
    }
    const int64_t below_top = block ? layers - *block : before_blocks ? layers + 1 : 0;
    const double lr_scale = math::pow(options.layer_decay, static_cast<double>(below_top));
    const double decay = p.tensor.rank() >= 2 && !matches_any(options.no_decay, p.name) ? 1.0 : 0.0;
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const ParameterGroup& g) {
      return g.lr_scale == lr_scale && g.weight_decay_scale == decay;
    });
    if (same != groups.end()) {
      same->parameters.push_back(p);
    } else {
      groups.push_back({{p}, lr_scale, decay});
    }
  }
  return groups;
}

}  // namespace weft
