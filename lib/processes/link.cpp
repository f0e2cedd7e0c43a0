#include <weft/lib/machine/plugin.h>
#include <weft/lib/processes/courier_internal.h>

#include <numeric>

namespace weft::detail {

namespace {

/// Bytes of a message that MPI hands over whole: to receive one never waits for a sender, who may have died.
constexpr size_t longest_message = 3000;

}  // namespace

Link::Link()
    : mpi_(reinterpret_cast<weft_mpi_function*>(
          plugin_function({.library = mpi_plugin,
                           .function = mpi_function,
                           .purpose = "a program that mpirun has started more than once",
                           .needs = "libopenmpi-dev"}))()) {
  check(mpi_->start(&rank_, &size_));
}

void Link::check(int error) const {
  if (error == 0) return;
  char text[512];
  mpi_->text(error, text, sizeof text);
  fail<ProcessError>("MPI: ", text);
}

int64_t Link::all_to_all(int channel, const void* from, const Shares& out, void* to, const Shares& in) {
  int64_t request = 0;
  check(mpi_->all_to_all(channel, from, out.bytes.data(), out.at.data(), to, in.bytes.data(), in.at.data(),
                         &request));
  traffic.sent +=
      std::accumulate(out.bytes.begin(), out.bytes.end(), int64_t{0}) - out.bytes[static_cast<size_t>(rank_)];
  traffic.messages += size_ - 1;
  return request;
}

int64_t Link::all_gather(int channel, const void* from, int bytes, void* to, const Shares& in) {
  int64_t request = 0;
  check(mpi_->all_gather(channel, from, bytes, to, in.bytes.data(), in.at.data(), &request));
  traffic.sent += int64_t{bytes} * (size_ - 1);
  traffic.messages += size_ - 1;
  return request;
}

int64_t Link::all_gather_in_place(int channel, void* shares, const Shares& in) {
  return all_gather(channel, nullptr, in.bytes[static_cast<size_t>(rank_)], shares, in);
}

bool Link::is_done(int64_t& request) {
  int done = 0;
  check(mpi_->test(&request, &done));
  return done != 0;
}

void Link::send(const std::string& message, int to) {
  Sent& sent = sent_.emplace_back(message.substr(0, longest_message), 0);
  check(
      mpi_->send(weft_mpi_messages, sent.text.data(), static_cast<int>(sent.text.size()), to, &sent.request));
}

bool Link::receive(std::string& message, int& from) {
  int there = 0, bytes = 0;
  check(mpi_->probe(weft_mpi_messages, &there, &from, &bytes));
  if (there == 0) return false;
  message.resize(static_cast<size_t>(bytes));
  check(mpi_->receive(weft_mpi_messages, message.data(), bytes, from));
  return true;
}

bool Link::is_sent() {
  std::erase_if(sent_, [&](Sent& sent) { return is_done(sent.request); });
  return sent_.empty();
}

void Link::finish() { check(mpi_->finish()); }

}  // namespace weft::detail
