#include <weft/data/tokenizers/wrapped_tokenizer.h>
#include <weft/lib/base/error.h>

#include <utility>

namespace weft {

WrappedTokenizer::WrappedTokenizer(std::shared_ptr<const Tokenizer> own, int64_t size)
    : own_(std::move(own)), size_(size) {
  if (size < own_->vocab_size())
    fail<ValueError>("a tokenizer of ", own_->vocab_size(), " tokens does not fit into ", size, " ids");
}

std::string WrappedTokenizer::decode(int64_t id) const {
  if (id < 0 || id >= size_) fail<ValueError>("decode: id ", id, " is not in [0, ", size_, ")");
  return id < own_->vocab_size() ? own_->decode(id) : decode_behind(id);
}

std::string WrappedTokenizer::decode(std::span<const int64_t> ids) const {
  std::string text;
  std::vector<int64_t> together;
  for (size_t i = 0; i <= ids.size(); ++i) {
    if (i < ids.size() && ids[i] >= 0 && ids[i] < own_->vocab_size()) {
      together.push_back(ids[i]);
      continue;
    }
    const std::string behind = i < ids.size() ? decode(ids[i]) : "";
    if (i < ids.size() && behind.empty()) continue;  // as if it were not there
    if (!together.empty()) text += own_->decode(together);
    together.clear();
    text += behind;
  }
  return text;
}

int64_t WrappedTokenizer::count_characters(std::span<const int64_t> ids) const {
  std::vector<int64_t> theirs;
  for (const int64_t id : ids) {
    if (id < 0 || id >= size_) fail<ValueError>("decode: id ", id, " is not in [0, ", size_, ")");
    if (id < own_->vocab_size()) theirs.push_back(id);
  }
  return own_->count_characters(theirs);
}

bool WrappedTokenizer::leaves_beginning(int64_t id) const {
  return id >= own_->vocab_size() || own_->leaves_beginning(id);
}

}  // namespace weft
