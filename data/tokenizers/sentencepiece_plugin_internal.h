// Between weft and its plug-in libweft-sentencepiece.so, which is linked with SentencePiece's trainer, as weft is not. In C,
// so that the two may be built apart. Internal to data.
#pragma once

#include <cstddef>

extern "C" {

struct weft_sentencepiece_request {
  /// Names and values of SentencePiece's settings by turns, then nullptr.
  const char* const* settings;
  void* self;
  /// The next sentence, good until the next call; nullptr at the end.
  const char* (*next)(void* self, size_t* length);
  /// Takes the model, or what went wrong.
  void (*take_model)(void* self, const char* bytes, size_t length);
  void (*take_error)(void* self, const char* text, size_t length);
};

/// The plug-in's one function: exactly one of take_model and take_error is called. No exception leaves it.
using weft_sentencepiece_train_function = void(const weft_sentencepiece_request*);

}  // extern "C"

namespace weft {
inline constexpr const char* sentencepiece_plugin = "libweft-sentencepiece.so";
inline constexpr const char* sentencepiece_function = "weft_sentencepiece_train_1";  ///< 1: of this request
}  // namespace weft
