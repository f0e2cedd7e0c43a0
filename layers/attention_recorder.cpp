#include <weft/layers/attention_recorder.h>

namespace weft {

thread_local AttentionRecorder* AttentionRecorder::current_ = nullptr;

}  // namespace weft
