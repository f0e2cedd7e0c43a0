#include <doctest/doctest.h>
#include <weft/autograd/ops.h>
#include <weft/optim/parameter_groups.h>
#include <weft/optim/sgd.h>

#include <map>

#include "checks.h"

namespace weft::test {

namespace {

std::vector<NamedTensor> network() {
  const auto made = [](const Shape& shape) { return Tensor(Array::ones(shape), true); };
  return {{"class_token", made({2})},           {"token_embedding.weight", made({3, 2})},
          {"blocks.0.up.weight", made({2, 2})}, {"blocks.0.up.bias", made({2})},
          {"blocks.1.up.weight", made({2, 2})}, {"norm.weight", made({2})},
          {"head.weight", made({3, 2})}};
}

struct Settings {
  double lr_scale, weight_decay_scale;
};

std::map<std::string, Settings> settings(const std::vector<ParameterGroup>& groups) {
  std::map<std::string, Settings> all;
  for (const ParameterGroup& group : groups) {
    for (const NamedTensor& p : group.parameters)
      CHECK(all.emplace(p.name, Settings{group.lr_scale, group.weight_decay_scale}).second);
  }
  return all;
}

}  // namespace

TEST_CASE("parameter groups: patterns") {
  CHECK(matches("*", ""));
  CHECK(matches("", ""));
  CHECK_FALSE(matches("", "a"));
  CHECK(matches("blocks.*.norm?.*", "blocks.12.norm1.weight"));
  CHECK_FALSE(matches("blocks.*.norm?.*", "blocks.12.norm.weight"));
  CHECK(matches("*.bias", "a.b.bias"));
  CHECK_FALSE(matches("*.bias", "a.bias.b"));
  CHECK(matches("*ab*ab", "aabxab"));
  CHECK_FALSE(matches("*ab*ab", "aabx"));
  CHECK(matches("a**b", "ab"));
  CHECK_FALSE(matches("a", "A"));
  CHECK_FALSE(matches("a?", "a"));
  const std::string many(200, 'a');
  CHECK_FALSE(matches("*a*a*a*a*a*a*a*a*a*b", many));
}

TEST_CASE("parameter groups: by default matrices decay, vectors do not, and all learn alike") {
  const auto groups = parameter_groups(network());
  REQUIRE(groups.size() == 2);
  for (const auto& [name, s] : settings(groups)) {
    CAPTURE(name);
    CHECK(s.lr_scale == 1);
    CHECK(s.weight_decay_scale ==
          (name.starts_with("token") || name.ends_with("up.weight") || name.starts_with("head")));
  }
}

TEST_CASE("parameter groups: no decay by pattern, rates by layer, and no group for what is frozen") {
  std::vector<NamedTensor> all = network();
  CHECK(freeze(all, {"blocks.0.*"}) == 2);
  CHECK_FALSE(all[2].tensor.requires_grad());
  CHECK(all[4].tensor.requires_grad());
  const auto found = settings(parameter_groups(all, {.no_decay = {"*embedding*"}, .layer_decay = 0.5}));
  CHECK(found.size() == 5);
  CHECK(found.at("class_token").lr_scale == 0.125);
  CHECK(found.at("token_embedding.weight").lr_scale == 0.125);
  CHECK(found.at("token_embedding.weight").weight_decay_scale == 0);
  CHECK(found.at("blocks.1.up.weight").lr_scale == 0.5);
  CHECK(found.at("blocks.1.up.weight").weight_decay_scale == 1);
  CHECK(found.at("norm.weight").lr_scale == 1);
  CHECK(found.at("head.weight").lr_scale == 1);
  const auto unfrozen = settings(parameter_groups(network(), {.layer_decay = 0.5}));
  CHECK(unfrozen.at("blocks.0.up.bias").lr_scale == 0.25);
}

TEST_CASE("parameter groups: what thaws once groups were made is refused by the optimizer's step") {
  std::vector<NamedTensor> all = network();
  Tensor head = all.back().tensor, body = all[2].tensor;
  head.set_requires_grad(false);
  SGD optimizer(parameter_groups(all));
  const auto backward = [&] { sum(matmul(head, body)).backward(); };
  backward();
  optimizer.step();
  head.set_requires_grad();
  backward();
  refuses<StateError>([&] { optimizer.step(); }, {"'head.weight' (3, 2)", "was frozen", "load_matching"});
  // Also once somebody has looked at it, but not when an optimizer is made of it.
  head.zero_grad();
  backward();
  CHECK_THROWS_AS(optimizer.step(), StateError);
  SGD anew(parameter_groups(all));
  backward();
  anew.step();
}

TEST_CASE("parameter groups: freezing forgets the gradient that is there") {
  std::vector<NamedTensor> all = network();
  Tensor head = all.back().tensor;
  const Array before = head.value().copy();
  head.set_grad(Array::ones({3, 2}));
  all[0].tensor.set_grad(Array::ones({2}));
  SGD optimizer(all);
  freeze(all, {"head.*"});
  optimizer.step();
  CHECK(head.value().identical(before));
}

TEST_CASE("parameter groups: stacks below a name, and names that only look like blocks") {
  const auto made = [] { return Tensor(Array::ones({1}), true); };
  const auto found = settings(parameter_groups({{"token_embedding.weight", made()},
                                                {"encoder.blocks.0.w", made()},
                                                {"encoder.blocks.3.w", made()},
                                                {"encoder.norm.w", made()},
                                                {"decoder.blocks.1.w", made()},
                                                {"decoder.blocks.w", made()},
                                                {"myblocks.9.w", made()}},
                                               {.layer_decay = 0.5}));
  CHECK(found.at("token_embedding.weight").lr_scale == 1.0 / 32);
  CHECK(found.at("encoder.blocks.0.w").lr_scale == 1.0 / 16);
  CHECK(found.at("encoder.blocks.3.w").lr_scale == 1.0 / 2);
  CHECK(found.at("encoder.norm.w").lr_scale == 1);
  CHECK(found.at("decoder.blocks.1.w").lr_scale == 1.0 / 8);
  CHECK(found.at("decoder.blocks.w").lr_scale == 1);
  CHECK(found.at("myblocks.9.w").lr_scale == 1);
}

TEST_CASE("parameter groups: patterns that nothing has, and rates that cannot be") {
  const std::vector<NamedTensor> all = network();
  refuses<ValueError>([&] { freeze(all, {"head.*", "blokcs.*"}); }, {"'blokcs.*'", "blocks.0.up.weight"});
  CHECK(all[6].tensor.requires_grad());
  refuses<ValueError>([&] { parameter_groups(all, {.no_decay = {"x"}}); }, {"no_decay", "'x'"});
  refuses<ValueError>([&] { parameter_groups(all, {.layer_decay = 0}); }, {"layer_decay", "(0, 1]"});
  refuses<ValueError>([&] { parameter_groups(all, {.layer_decay = 1.5}); }, {"layer_decay", "1.5"});
}

}  // namespace weft::test
