// Byte-level BPE: MB/s of learning its merges from text in memory, with all threads, and of encoding that text, with one.
//   build/bin/bench_tokenizers --data FILE|DIR... [--vocab-size N] [--write FILE.json] [--threads N] [--seconds S] [--json]
// --write leaves the tokenizer that was learned for bench/peers/bpe.py, which encodes with the same merges; bench/compare
// --only tokenizers runs the two in turns and prints the ratios.
#include <weft/data/text/bpe_training.h>
#include <weft/data/text/data_files.h>
#include <weft/exchange/tokenizers.h>
#include <weft/lib/base/file.h>

#include <optional>
#include <string>
#include <vector>

#include "options.h"

namespace {

struct Arguments {
  std::vector<std::string> data;
  int64_t vocab_size = 8192;
  std::string write;
};

weft::BpeTokenizer learned(const std::vector<std::string>& texts, int64_t vocab_size) {
  weft::BpeTraining training({.vocab_size = vocab_size});
  for (const std::string& text : texts) {
    training.add(text);
    training.end_document();
  }
  return training.learn();
}

/// The same where the ids are the same, to compare with the peers'.
uint64_t sum_of(const std::vector<int64_t>& ids) {
  uint64_t sum = 0;
  for (size_t i = 0; i < ids.size(); ++i) sum += static_cast<uint64_t>(ids[i]) * (1 + i % 65521);
  return sum;
}

void measure(const Arguments& arguments, const bench::Setup& setup) {
  std::vector<std::string> texts;
  size_t bytes = 0;
  for (const std::string& path : weft::data_files(arguments.data)) {
    texts.push_back(weft::read_text(path));
    bytes += texts.back().size();
  }
  const double megabytes = 1e-6 * static_cast<double>(bytes);
  bench::Report report("tokenizers", setup);
  std::optional<weft::BpeTokenizer> tokenizer;
  const double training =
      bench::best_seconds(setup.seconds, [&] { tokenizer = learned(texts, arguments.vocab_size); });
  if (!arguments.write.empty()) weft::write_file(arguments.write, weft::tokenizer_json(*tokenizer));
  report.add({{"what", "train"},
              {"threads", setup.threads},
              {"tokens", tokenizer->vocab_size()},
              {"mb_per_second", megabytes / training}});
  std::vector<int64_t> ids;
  const double encoding = bench::best_seconds(setup.seconds, [&] {
    ids.clear();
    for (const std::string& text : texts) tokenizer->append_ids(text, ids);
  });
  report.add(
      {{"what", "encode"}, {"threads", 1}, {"tokens", ids.size()}, {"mb_per_second", megabytes / encoding}});
  report.note("ids", sum_of(ids));
  report.finish();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Byte-level BPE");
  bench::Setup setup;
  Arguments arguments;
  bench::add_options(app, setup);
  app.add_option("--data", arguments.data, "Texts, or folders of them")->required();
  app.add_option("--vocab-size", arguments.vocab_size, "Tokens to learn")->check(CLI::Range(257, 1 << 24));
  app.add_option("--write", arguments.write, "A tokenizer.json to write");
  CLI11_PARSE(app, argc, argv);
  return bench::run(setup, [&] { measure(arguments, setup); });
}
