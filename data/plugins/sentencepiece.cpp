// libweft-sentencepiece.so: trains with SentencePiece's own library.
#include <sentencepiece_trainer.h>
#include <weft/data/tokenizers/sentencepiece_plugin_internal.h>

#include <exception>
#include <string>
#include <unordered_map>

namespace {

class Sentences : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(const weft_sentencepiece_request& request) : request_(request) { Next(); }
  bool done() const override { return done_; }
  void Next() override {
    size_t length = 0;
    const char* const text = request_.next(request_.self, &length);
    done_ = text == nullptr;
    if (!done_) value_.assign(text, length);
  }
  const std::string& value() const override { return value_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const weft_sentencepiece_request& request_;
  std::string value_;
  bool done_ = false;
};

}  // namespace

extern "C" __attribute__((visibility("default"))) void weft_sentencepiece_train_1(
    const weft_sentencepiece_request* request) {
  std::string error;
  try {
    std::unordered_map<std::string, std::string> settings;
    for (const char* const* at = request->settings; *at != nullptr; at += 2) settings.emplace(at[0], at[1]);
    Sentences sentences(*request);
    std::string model;
    const auto status = sentencepiece::SentencePieceTrainer::Train(settings, &sentences, &model);
    if (status.ok()) {
      request->take_model(request->self, model.data(), model.size());
      return;
    }
    error = status.error_message();
  } catch (const std::exception& thrown) {
    error = thrown.what();
  }
  request->take_error(request->self, error.data(), error.size());
}
