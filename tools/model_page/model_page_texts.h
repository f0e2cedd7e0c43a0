// The files of tools/model_page/, which the build puts into the program.
#pragma once

#include <string_view>

namespace weft::tools {

extern const std::string_view model_page_html, model_page_css;
extern const std::string_view numbers_js, doubles_js, random_js, layers_js, block_js, decoder_js, gpt2_js,
    llama_js, words_js, tokenizer_js, sampling_js, writer_js, chat_js, model_file_js;
extern const std::string_view settings_js, trace_js, written_js, model_main_js;

}  // namespace weft::tools
