// Makes system calls of lib/file fail on purpose, while it lives.
#pragma once

#include <weft/lib/base/file.h>

#include <cerrno>
#include <string>

class Faults {
 public:
  struct Plan {
    std::string call{};    ///< which calls; empty is all
    int first = 0;         ///< the number of the first such call that fails
    bool for_good = true;  ///< all after it fail too
    int error = EIO;
    std::string spare{};  ///< a call that never fails
  };

  explicit Faults(const Plan& plan) {
    current() = plan;
    seen() = failed() = 0;
    first_failed().clear();
    weft::set_fault_hook(&Faults::ask);
  }
  ~Faults() { weft::set_fault_hook(nullptr); }
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  /// Calls that the plan concerns, and those made to fail.
  static int& seen() {
    static int count = 0;
    return count;
  }
  static int& failed() {
    static int count = 0;
    return count;
  }
  /// The name of the first call made to fail.
  static std::string& first_failed() {
    static std::string call;
    return call;
  }

 private:
  static Plan& current() {
    static Plan plan;
    return plan;
  }
  static int ask(const char* call, const std::string&) {
    const Plan& plan = current();
    if ((!plan.call.empty() && plan.call != call) || plan.spare == call) return 0;
    const int number = seen()++;
    if (plan.for_good ? number < plan.first : number != plan.first) return 0;
    if (failed()++ == 0) first_failed() = call;
    return plan.error;
  }
};
