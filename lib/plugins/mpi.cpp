// libweft-mpi.so: processes over MPI.
#define OMPI_SKIP_MPICXX 1  // C alone
#include <mpi.h>
#include <weft/lib/processes/mpi_plugin_internal.h>

#include <array>
#include <cstring>
#include <unordered_map>

namespace {

std::array<MPI_Comm, weft_mpi_channels> channels;
std::unordered_map<int64_t, MPI_Request> requests;
int64_t last_request = 0;

/// Keeps a request under a number.
int kept(int error, MPI_Request request, int64_t* number) {
  if (error == MPI_SUCCESS) requests.emplace(*number = ++last_request, request);
  return error;
}

int start(int* rank, int* size) {
  int given = 0;
  if (const int error = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given)) return error;
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, rank);
  MPI_Comm_size(MPI_COMM_WORLD, size);
  for (MPI_Comm& channel : channels) {
    if (const int error = MPI_Comm_dup(MPI_COMM_WORLD, &channel)) return error;
    MPI_Comm_set_errhandler(channel, MPI_ERRORS_RETURN);
  }
  return MPI_SUCCESS;
}

int all_to_all(int channel, const void* from, const int* from_bytes, const int* from_at, void* to,
               const int* to_bytes, const int* to_at, int64_t* number) {
  MPI_Request request{};
  const int error = MPI_Ialltoallv(from, from_bytes, from_at, MPI_BYTE, to, to_bytes, to_at, MPI_BYTE,
                                   channels[static_cast<size_t>(channel)], &request);
  return kept(error, request, number);
}

int all_gather(int channel, const void* from, int bytes, void* to, const int* to_bytes, const int* to_at,
               int64_t* number) {
  MPI_Request request{};
  const int error = MPI_Iallgatherv(from != nullptr ? from : MPI_IN_PLACE, bytes, MPI_BYTE, to, to_bytes, to_at, MPI_BYTE,
                                    channels[static_cast<size_t>(channel)], &request);
  return kept(error, request, number);
}

int send(int channel, const void* from, int bytes, int to, int64_t* number) {
  MPI_Request request{};
  const int error = MPI_Isend(from, bytes, MPI_BYTE, to, 0, channels[static_cast<size_t>(channel)], &request);
  return kept(error, request, number);
}

int probe(int channel, int* there, int* from, int* bytes) {
  MPI_Status status{};
  const int error = MPI_Iprobe(MPI_ANY_SOURCE, 0, channels[static_cast<size_t>(channel)], there, &status);
  if (error != MPI_SUCCESS || *there == 0) return error;
  *from = status.MPI_SOURCE;
  return MPI_Get_count(&status, MPI_BYTE, bytes);
}

int receive(int channel, void* to, int bytes, int from) {
  return MPI_Recv(to, bytes, MPI_BYTE, from, 0, channels[static_cast<size_t>(channel)], MPI_STATUS_IGNORE);
}

int test(int64_t* number, int* done) {
  const auto found = requests.find(*number);
  if (found == requests.end()) {
    *done = 1;
    return MPI_SUCCESS;
  }
  const int error = MPI_Test(&found->second, done, MPI_STATUS_IGNORE);
  if (*done != 0) requests.erase(found);
  return error;
}

int finish() {
  for (MPI_Comm& channel : channels) MPI_Comm_free(&channel);
  return MPI_Finalize();
}

void text(int error, char* to, int size) {
  char whole[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(error, whole, &length);
  std::strncpy(to, whole, static_cast<size_t>(size - 1));
  to[size - 1] = '\0';
}

constexpr weft_mpi_functions functions{start,   all_to_all, all_gather, send, probe,
                                       receive, test,       finish,     text};

}  // namespace

extern "C" __attribute__((visibility("default"))) const weft_mpi_functions* weft_mpi_1() {
  return &functions;
}
