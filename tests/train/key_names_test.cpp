#include <doctest/doctest.h>
#include <weft/train/key_names.h>

#include <string>

namespace weft::test {

TEST_CASE("keys are found by their own names, by those that others give them, and by what is near") {
  for (const char* own : {"n_layer", "learning_rate", "tokenizer", "momentum", "n_kv_head", "text"})
    CHECK(meant_key(own) == own);
  CHECK(meant_key("n-layer") == "n_layer");
  CHECK(meant_key("n_layr") == "n_layer");
  CHECK(meant_key("max-itres") == "max_iters");
  // Each of a key that there is.
  const std::pair<const char*, const char*> others[] = {{"lr", "learning_rate"},
                                                        {"wd", "weight_decay"},
                                                        {"steps", "max_iters"},
                                                        {"warmup_steps", "warmup_iters"},
                                                        {"bs", "batch_size"},
                                                        {"max_grad_norm", "grad_clip"},
                                                        {"grad_accum", "gradient_accumulation_steps"},
                                                        {"gradient_checkpointing", "recompute"},
                                                        {"scheduler", "schedule"},
                                                        {"optim", "optimizer"},
                                                        {"eval_steps", "eval_interval"},
                                                        {"logging_steps", "log_interval"},
                                                        {"save_steps", "checkpoint_interval"},
                                                        {"save_total_limit", "keep_checkpoints"},
                                                        {"num_hidden_layers", "n_layer"},
                                                        {"nhead", "n_head"},
                                                        {"num_key_value_heads", "n_kv_head"},
                                                        {"d_model", "n_embd"},
                                                        {"seq_len", "block_size"}};
  for (const auto& [theirs, ours] : others) {
    CHECK_MESSAGE(meant_key(theirs) == ours, theirs);
    CHECK(is_name_of(ours, theirs));
  }
  CHECK_FALSE(is_name_of("n_layer", "n_layr"));
  CHECK(meant_key("device") == "");
  CHECK(meant_key("lr") != "d");
}

TEST_CASE("values that were meant") {
  const Setting whole{.name = "n", .value = int64_t{4}, .least = 1, .most = 20000};
  CHECK(meant_value(whole, " 3") == "3");
  CHECK(meant_value(whole, "1e4") == "10000");
  CHECK(meant_value(whole, "2.0") == "2");
  CHECK(meant_value(whole, "0") == "4");
  CHECK(meant_value(whole, "1e300") == "4");
  CHECK(meant_value(whole, "many") == "4");
  const Setting number{.name = "x", .value = 0.5, .from = 0, .below = 1};
  CHECK(meant_value(number, "0,8") == "0.8");
  CHECK(meant_value(number, "2") == "0.5");
  const Setting truth{.name = "t", .value = true};
  CHECK(meant_value(truth, "True") == "true");
  CHECK(meant_value(truth, "0") == "false");
  CHECK(meant_value(truth, "maybe") == "true");
  const Setting choice{.name = "c", .value = std::string("adamw"), .choices = {"adamw", "sgd"}};
  CHECK(meant_value(choice, "sdg") == "sgd");
  CHECK(meant_value(choice, "adamW") == "adamw");
  CHECK(meant_value(choice, "newton") == "adamw");
}

}  // namespace weft::test
