// What a run has written for those who look at it.
#pragma once

#include <string>
#include <vector>

#include "program.h"

/// Files of a run, without what a clock, the machine or the run's name put into them; empty where there is none.
struct Records {
  std::string log = {}, table = {}, samples = {}, statistics = {}, events = {};
  bool operator==(const Records&) const = default;
};
/// The names of the files that a run has, but for those that are named by the clock.
std::vector<std::string> files_of(const Folder& folder, const std::string& run);
Records records_of(const Folder& folder, const std::string& run);

/// "a,,b" -> a, nothing, b.
std::vector<std::string> cells_of(const std::string& row);
/// The text behind "text": in a line of JSON.
std::string text_in(const std::string& line);
