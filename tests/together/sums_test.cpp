// What processes do together; mpirun starts several of this program (tests/more.cmake).
#include <doctest/doctest.h>
#include <weft/weft.h>

#include <cstring>
#include <filesystem>
#include <numeric>

using namespace weft;

namespace {

/// A number of shard `shard`, whose sums depend on their order.
template <class T>
T number(int64_t shard, int64_t i) {
  return static_cast<T>((shard % 2 == 0 ? 1e7 : 1.0) / static_cast<double>(3 + (shard * 31 + i * 7) % 101));
}

template <class T>
std::vector<T> subtree_sum(const Subtree& tree, int64_t count) {
  std::vector<T> sum(static_cast<size_t>(count));
  if (tree.width == 1) {
    for (int64_t i = 0; i < count; ++i) sum[static_cast<size_t>(i)] = number<T>(tree.begin, i);
    return sum;
  }
  const int64_t half = tree.width / 2;
  sum = subtree_sum<T>({tree.begin, half}, count);
  const std::vector<T> upper = subtree_sum<T>({tree.begin + half, half}, count);
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += upper[i];
  return sum;
}

template <class T>
void check_sums(int64_t shards, const std::vector<int64_t>& counts) {
  Processes& all = Processes::joined();
  std::vector<std::vector<T>> results;
  results.reserve(counts.size());
  for (const int64_t count : counts) {
    std::vector<std::vector<T>> mine;
    for (const Subtree& tree : subtrees_of(all.shards(shards))) mine.push_back(subtree_sum<T>(tree, count));
    std::vector<T>& result = results.emplace_back(static_cast<size_t>(count));
    all.start_sum(
        {.dtype = dtype_of<T>(),
         .count = count,
         .shards = shards,
         .read =
             [mine](size_t subtree, int64_t begin, int64_t end, void* to) {
               std::memcpy(to, mine[subtree].data() + begin, static_cast<size_t>(end - begin) * sizeof(T));
             },
         .write =
             [&result](int64_t begin, int64_t end, const void* from) {
               std::memcpy(result.data() + begin, from, static_cast<size_t>(end - begin) * sizeof(T));
             }});
  }
  all.finish_sums();
  for (size_t i = 0; i < counts.size(); ++i) CHECK(results[i] == subtree_sum<T>({0, shards}, counts[i]));
}

}  // namespace

TEST_CASE("together: texts of any length go to all") {
  Processes& all = Processes::joined();
  REQUIRE(all.size() > 1);
  for (const size_t length : {0, 1, 1000, 3'000'000}) {
    const std::vector<std::string> texts = all.gather(
        std::string(length + static_cast<size_t>(all.rank()), static_cast<char>('a' + all.rank())));
    REQUIRE(std::ssize(texts) == all.size());
    for (size_t r = 0; r < texts.size(); ++r)
      CHECK(texts[r] == std::string(length + r, static_cast<char>('a' + r)));
  }
  CHECK(all.from_first(all.is_first() ? "first" : "other") == "first");
  CHECK(all.on_this_machine() == all.size());
}

TEST_CASE("together: sums are those of the tree, bit for bit, any number of them at once") {
  for (const int64_t shards : {4, 8, 64}) {
    CAPTURE(shards);
    check_sums<float>(shards, {1, 15, 16, 17, 1000, 100'003});
    check_sums<double>(shards, {3, 4096});
  }
  check_sums<float>(4, std::vector<int64_t>(40, 5000));
  CHECK(Processes::joined().traffic().sent > 0);
}

TEST_CASE("together: fewer shards than processes are refused") {
  CHECK_THROWS_WITH_AS(Processes::joined().shards(1), doctest::Contains("--set reduction_shards="),
                       ValueError);
}

TEST_CASE("together: an optimizer whose state is shared out takes the same steps") {
  Processes& all = Processes::joined();
  for (const std::string name : {"adamw", "adam", "sgd", "lion", "muon", "adafactor"}) {
    CAPTURE(name);
    struct Side {
      std::vector<NamedTensor> parameters;
      std::unique_ptr<Optimizer> optimizer;
    };
    const auto side = [&] {
      Side made;
      const RandomScope random({.seed = 5});
      for (const auto& [path, shape] : {std::pair{"token.weight", Shape{37, 24}},
                                        {"a.weight", Shape{24, 48}},
                                        {"b.weight", Shape{48, 24}},
                                        {"a.bias", Shape{48}},
                                        {"never.weight", Shape{8, 8}},
                                        {"scale", Shape{}}}) {
        Tensor tensor(Array::full(shape, 0.5), true);
        made.parameters.push_back({path, tensor});
      }
      made.optimizer = make_optimizer(name, {{made.parameters}}, {{"lr", 0.01}, {"weight_decay", 0.1}});
      return made;
    };
    Side whole = side(), shared = side();
    shared.optimizer->share_out(all);
    const auto step = [&](Side& on, int64_t k) {
      for (NamedTensor& p : on.parameters) {
        if (p.name == "never.weight" || (p.name == "b.weight" && k == 0)) continue;
        Array grad(p.tensor.shape(), float32);
        float* const g = grad.mutable_data<float>();
        for (int64_t i = 0; i < grad.size(); ++i) g[i] = static_cast<float>((i * 7 + k * 13) % 11 - 5) / 8.0f;
        p.tensor.set_grad(grad);
      }
      on.optimizer->step();
      on.optimizer->zero_grad();
    };
    const auto check_same = [&] {
      for (size_t i = 0; i < whole.parameters.size(); ++i) {
        CAPTURE(whole.parameters[i].name);
        CHECK(shared.parameters[i].tensor.value().identical(whole.parameters[i].tensor.value()));
      }
      const StateDict state = shared.optimizer->state_dict();
      if (all.is_first()) CHECK(identical(state, whole.optimizer->state_dict()));
    };
    for (int64_t k = 0; k < 3; ++k) {
      step(whole, k);
      step(shared, k);
      check_same();
    }
    if (whole.optimizer->state_bytes() > 5000)
      CHECK(shared.optimizer->state_bytes() < whole.optimizer->state_bytes() * 3 / 4);
    // Loaded, each keeps its own; and what is whole already is shared out.
    Side loaded = side(), later = side();
    loaded.optimizer->share_out(all);
    loaded.optimizer->load_state_dict(whole.optimizer->state_dict());
    later.optimizer->load_state_dict(whole.optimizer->state_dict());
    later.optimizer->share_out(all);
    for (Side* const other : {&loaded, &later}) {
      for (size_t i = 0; i < whole.parameters.size(); ++i)
        other->parameters[i].tensor.set_value(whole.parameters[i].tensor.value().copy());
      CHECK(other->optimizer->state_bytes() == shared.optimizer->state_bytes());
    }
    step(whole, 3);
    for (Side* const other : {&loaded, &later, &shared}) step(*other, 3);
    check_same();
    for (size_t i = 0; i < whole.parameters.size(); ++i) {
      CHECK(loaded.parameters[i].tensor.value().identical(whole.parameters[i].tensor.value()));
      CHECK(later.parameters[i].tensor.value().identical(whole.parameters[i].tensor.value()));
    }
  }
}

namespace {

struct Tiny {
  GPT model{{.vocab_size = 20, .block_size = 8, .n_layer = 1, .n_head = 2, .n_embd = 16}};
  AdamW optimizer{parameter_groups(model.parameters())};
  Loader loader;
  explicit Tiny(const UpdateShare& share = {}) : loader(data(), 4, share) {}
  static std::shared_ptr<const Dataset> data() {
    std::vector<int64_t> ids(200);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i * i % 20);
    return std::make_shared<TokenDataset>(all_tokens(std::make_shared<MemoryTokens>(ids)), 8, 1);
  }
};

}  // namespace

TEST_CASE("together: weights that are not those of the others are named, and nothing is saved") {
  Processes& all = Processes::joined();
  const RandomScope random({.seed = 3});
  Tiny tiny;
  const std::string folder = str("together-", all.size());
  if (all.is_first()) std::filesystem::remove_all(folder);
  all.gather("");
  const RunParts parts{tiny.model, tiny.optimizer, tiny.loader, nullptr, &all};
  Run run = Run::create_or_resume(folder, parts, {});
  CHECK(run.record(Evaluation{0, 3.0, 3.0}));
  run.record(Update{.step = 0, .loss = 3.0, .lr = 0.1, .grad_norm = 1.0});
  run.save();
  run.record(Update{.step = 1, .loss = 3.0, .lr = 0.1, .grad_norm = 1.0});
  if (all.rank() == 1) {
    const NoGrad no_grad;
    NamedTensor wrong = tiny.model.parameters().back();
    char* const bytes = static_cast<char*>(wrong.tensor.mutable_value().mutable_bytes());
    bytes[wrong.tensor.value().nbytes() / 2] ^= 1;
  }
  const std::string name = tiny.model.parameters().back().name;
  try {
    run.save();
    FAIL("the other bits were not seen");
  } catch (const StateError& error) {
    const std::string what = error.what();
    CHECK(what.find("step 2: process 1 (") == 0);
    CHECK(what.find("'" + name + "'") != std::string::npos);
    CHECK((what.find("most others") != std::string::npos) == (all.size() > 2));
  }
  CHECK(RunFolder{folder}.steps() == std::vector<int64_t>{1});
  all.gather("");
}

TEST_CASE("together: an update in shards, which a process may have none of, is the same on all") {
  Processes& all = Processes::joined();
  const RandomScope random({.seed = 3});
  Tiny tiny;
  GradientShards shards(tiny.optimizer.parameters(), 8, all);
  Loader loader(Tiny::data(), 4, shards.share());  // 4 samples: half of the shards are empty
  for (int64_t k = 0; k < 3; ++k) {
    TrainStep step(tiny.optimizer, {.seed = 1, .step = k, .shards = &shards});
    for (const UpdatePiece& piece : loader.update()) step.backward(tiny.model, loader.next(), piece);
    const double norm = step.finish({.lr = 0.01, .max_norm = 1.0, .note = str(all.rank())});
    CHECK(norm > 0);
    CHECK(step.notes().size() == static_cast<size_t>(all.size()));
    CHECK(step.notes()[1] == "1");
    CHECK(loader.consumed() == 4 * (k + 1));
    for (const NamedTensor& p : tiny.model.parameters()) {
      const Array& value = p.tensor.value();
      const std::string digest =
          to_hex(digest_of({static_cast<const uint8_t*>(value.bytes()), value.nbytes()}));
      for (const std::string& theirs : all.gather(str(digest, " ", step.loss())))
        CHECK(theirs == str(digest, " ", step.loss()));
    }
  }
}
