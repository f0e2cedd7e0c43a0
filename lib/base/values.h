// Numbers that users type, read whole or refused with the range they must lie in.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// A whole number in [least, most]. ValueError "NAME: 'TEXT' is not a whole number between A and B".
int64_t parse_integer(const std::string& name, std::string_view text, int64_t least, int64_t most);
/// A finite number in [least, most].
double parse_number(const std::string& name, std::string_view text, double least,
                    double most = std::numeric_limits<double>::infinity());

/// "5,9,2": ids that a model of so many knows. ValueError that names the first that is none of them.
std::vector<int64_t> parse_ids(const std::string& name, std::string_view text, int64_t vocab_size);

/// "1,115,394".
std::string grouped(int64_t number);
/// With so many digits behind the point.
std::string fixed(double number, int digits);
/// With three digits that count: "0.000994", "1e-05".
std::string brief(double number);
/// "7 s", "2:05", "1:02:05".
std::string duration(double seconds);
/// A path as a shell takes it.
std::string quoted(const std::string& path);

}  // namespace weft
