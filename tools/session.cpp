#include "session.h"

#include <weft/lib/error.h>

#include <utility>

#include "values.h"

namespace weft::tools {
namespace {

TextProgress progress_on(Console& console) {
  return [&console](int64_t done, int64_t size) {
    if (const int signal = StopSignals::received()) throw Stopped{signal};
    console.renew(cat("reading the text: ", size > 0 ? 100 * done / size : 100, " %"));
  };
}

void note_text(Session& session) {
  const TextNotes& notes = session.text.notes;
  const bool keeps = session.config.newlines == "keep";
  if (notes.byte_order_marks > 0)
    session.notes.push_back(cat("warning: ", notes.byte_order_marks, " of the files ",
                                notes.byte_order_marks == 1 ? "begins" : "begin",
                                " with a byte-order mark; it is read as a character of the text"));
  if (notes.carriage_returns > 0)
    session.notes.push_back(
        keeps ? cat("warning: the text holds ", grouped(notes.carriage_returns),
                    " carriage returns, which are kept; --set newlines=lf drops them")
              : cat(grouped(notes.carriage_returns), " carriage returns are dropped (newlines=lf)"));
  if (!session.text.rebuilt.empty()) session.notes.push_back(cat("made again: ", session.text.rebuilt));
}

}  // namespace

void prepare_text(Session& session, std::shared_ptr<const Tokenizer> tokenizer) {
  const Config& config = session.config;
  session.text = tokenize_files(config.data, {.tokenizer = config.tokenizer,
                                              .newlines = newlines_from(config.newlines),
                                              .unknown = config.unknown_token,
                                              .with = std::move(tokenizer),
                                              .cache_folder = session.folder().cache(),
                                              .progress = progress_on(session.console)});
  session.console.clear();
  note_text(session);

  const TokenSplit split = split_tokens(session.text.tokens, config.data[0]);
  const int64_t windows = config.eval_iters * config.batch_size;
  const auto dataset =
      std::make_shared<TokenDataset>(split.train, config.block_size, static_cast<uint64_t>(config.seed));
  session.train_windows.emplace(split.train, config.block_size, windows);
  session.validation_windows.emplace(split.validation, config.block_size, windows);
  session.memory = plan_memory(session);
  session.loader = std::make_unique<Loader>(dataset, config.batch_size);
}

std::unique_ptr<GPT> make_model(const Config& config, int64_t vocab_size) {
  const RandomScope random({.seed = static_cast<uint64_t>(config.seed)});
  auto model = std::make_unique<GPT>(GPTConfig{.vocab_size = vocab_size,
                                               .block_size = config.block_size,
                                               .n_layer = config.n_layer,
                                               .n_head = config.n_head,
                                               .n_embd = config.n_embd,
                                               .dropout = config.dropout,
                                               .bias = config.bias});
  model->recompute_blocks = config.recompute;
  return model;
}

std::unique_ptr<AdamW> make_optimizer(const Config& config, const GPT& model) {
  return std::make_unique<AdamW>(
      decay_matrices_only<AdamWOptions>(model.parameters(), {.lr = config.learning_rate,
                                                             .beta1 = config.beta1,
                                                             .beta2 = config.beta2,
                                                             .weight_decay = config.weight_decay}));
}

void build_model(Session& session) {
  session.model = make_model(session.config, session.text.tokenizer->vocab_size());
  session.optimizer = make_optimizer(session.config, *session.model);
}

Checkpoint Session::checkpoint() const {
  return {.step = step,
          .config = config,
          .model_config = model->config,
          .tokenizer = text.tokenizer,
          .content_hash = text.content_hash,
          .history = history,
          .model = model->state_dict(),
          .optimizer = optimizer->state_dict(),
          .loader = loader->state_dict()};
}

}  // namespace weft::tools
