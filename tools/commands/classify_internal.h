// What `weft classify` does alike for texts, pictures and sounds.
#pragma once

#include <weft/train/files/opened_model.h>

#include <string>
#include <vector>

#include "commands.h"

namespace weft::tools {

/// Of a model of pictures or of sounds.
Work prepare_file_classify(OpenedModel opened, const ClassifyArguments& arguments);

/// softmax by row, in double.
std::vector<std::vector<double>> class_probabilities(const Array& logits);
/// "cat 0.9310  dog 0.0581\n": the likeliest five.
std::string ranked_line(const std::vector<std::string>& class_names, const std::vector<double>& p);
/// `what`, the likeliest class and its probability, and that of each, as rows of a csv (RFC 4180).
std::string table_header(const std::string& what, const std::vector<std::string>& class_names);
std::string table_row(const std::string& what, const std::vector<std::string>& class_names,
                      const std::vector<double>& p);

}  // namespace weft::tools
