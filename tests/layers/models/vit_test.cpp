#include <doctest/doctest.h>
#include <weft/layers/models/vit.h>
#include <weft/lib/array/random.h>

#include "model_reference.h"

namespace weft::test {

namespace {

ViTConfig small_vit(bool segmentation) {
  return {.image_size = 12,
          .patch_size = 4,
          .n_class = 5,
          .segmentation = segmentation,
          .n_layer = 3,
          .n_head = 2,
          .n_embd = 16};
}

Array pictures(int64_t count) { return random_uniform({count, 3, 12, 12}, -1, 1, random_key(5, 5)); }

}  // namespace

TEST_CASE("vit: logits, loss and every gradient equal those of transformers, of pictures and of patches") {
  const StateDict file = model_file("vit.h5");
  for (const char* name : {"classification", "segmentation"}) {
    CAPTURE(std::string(name));
    check_model<ViT, ViTConfig>(file.dict(name));
  }
}

TEST_CASE("vit: a picture in a batch has the bits of the picture alone") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  for (const bool segmentation : {false, true}) {
    const ViT model(small_vit(segmentation));
    const Array all = pictures(4);
    const Tensor logits = model.logits({all, {}});
    const Array alone = slice(Tensor(all), 0, 2, 3).value();
    CHECK(model.logits({alone, {}}).value().identical(slice(logits, 0, 2, 3).value()));
  }
}

TEST_CASE("vit: gradients of micro-batches are those of the whole batch, bit for bit, dropout and depth on") {
  const RandomScope random({.seed = 1});
  for (const bool segmentation : {false, true}) {
    ViTConfig config = small_vit(segmentation);
    config.dropout = 0.1;
    config.drop_path = 0.3;
    ViT model(config);
    check_micro_batches(model, {pictures(4), segmentation ? some_ids({4, 9}, 5) : some_ids({4}, 5)});
  }
}

TEST_CASE("vit: first values, how many there are, and stochastic depth that grows with the blocks") {
  const RandomScope random({.seed = 1});
  const ViT model(
      {.image_size = 16, .n_class = 10, .n_layer = 3, .n_head = 4, .n_embd = 128, .drop_path = 0.5});
  const int64_t C = 128, block = 12 * C * C + 13 * C;
  CHECK(model.parameter_count() == 3 * 4 * 4 * C + C + C + 17 * C + 3 * block + 2 * C + 10 * C + 10);
  check_first_values(model, 0.02 * std::sqrt(6.0));  // sqrt(768 / 128)
  CHECK(model.blocks[0].drop_path.p == 0);
  CHECK(model.blocks[1].drop_path.p == 0.25);
  CHECK(model.blocks[2].drop_path.p == 0.5);
  const ViT single({.n_class = 2, .n_layer = 1, .drop_path = 0.5});
  CHECK(single.blocks[0].drop_path.p == 0);
}

TEST_CASE("vit: a model of pictures fits one of patches by name") {
  const RandomScope random({.seed = 1});
  const ViT whole(small_vit(false));
  ViT patches(small_vit(true));
  CHECK(patches.load_matching(whole.state_dict()).ok());
}

TEST_CASE("vit: configurations survive their state, and those out of range are refused by name") {
  const ViTConfig odd{.image_size = 21,
                      .patch_size = 7,
                      .n_channel = 2,
                      .n_class = 6,
                      .segmentation = true,
                      .n_layer = 3,
                      .n_head = 5,
                      .n_embd = 20,
                      .n_inner = 9,
                      .dropout = 0.25,
                      .drop_path = 0.125,
                      .layer_norm_eps = 1e-6};
  CHECK(identical(ViTConfig::from_state(odd.state()).state(), odd.state()));
  CHECK(odd.state().size() == 13);
  CHECK(odd.patches() == 9);
  refuses<StateError>([] { ViTConfig::from_state(StateDict()); }, {"image_size"});
  const auto with = [](auto change) {
    ViTConfig config = small_vit(false);
    change(config);
    return [config] { ViT model(config); };
  };
  refuses<ValueError>(with([](ViTConfig& c) { c.n_head = 3; }), {"ViT", "n_embd = 16", "n_head = 3"});
  refuses<ValueError>(with([](ViTConfig& c) { c.patch_size = 5; }),
                      {"ViT", "image_size = 12", "patch_size = 5"});
  refuses<ValueError>(with([](ViTConfig& c) { c.n_class = 0; }), {"ViT", "n_class = 0"});
  refuses<ValueError>(with([](ViTConfig& c) { c.drop_path = 1; }), {"ViT", "drop_path = 1"});
}

TEST_CASE("vit: pictures that do not fit") {
  const RandomScope random({.seed = 1});
  const ViT model(small_vit(false));
  const auto refused = [&](const Shape& shape, const char* said) {
    refuses<ShapeError>([&] { model.logits({Array::zeros(shape), {}}); }, {"ViT", said, "(B, 3, 12, 12)"});
  };
  refused({3, 12, 12}, "(3, 12, 12)");
  refused({1, 1, 12, 12}, "(1, 1, 12, 12)");
  refused({1, 3, 12, 16}, "(1, 3, 12, 16)");
  refused({}, "()");
  refuses<TypeError>([&] { model.logits({Array::zeros({1, 3, 12, 12}, int64), {}}); }, {"int64"});
  CHECK(model.logits({Array::zeros({0, 3, 12, 12}), {}}).shape() == Shape{0, 5});
}

}  // namespace weft::test
