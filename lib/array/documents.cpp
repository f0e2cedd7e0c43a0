#include <weft/lib/array/documents.h>

namespace weft {

void check_documents(const char* op, const DocumentBegins& documents, int64_t B, int64_t T) {
  if (documents.empty()) return;
  if (static_cast<int64_t>(documents.size()) != B)
    fail<ValueError>(op, ": documents of ", documents.size(), " rows for ", B, " rows of ", T, " tokens");
  for (size_t b = 0; b < documents.size(); ++b) {
    const std::vector<int64_t>& begins = documents[b];
    if (begins.empty() || begins[0] != 0)
      fail<ValueError>(op, ": the documents of row ", b, begins.empty() ? "" : str(" begin with ", begins[0]),
                       begins.empty() ? " are none" : "", ": the first one begins at 0");
    for (size_t i = 1; i < begins.size(); ++i) {
      if (begins[i] <= begins[i - 1])
        fail<ValueError>(op, ": in row ", b, " a document that begins at ", begins[i], " follows one at ",
                         begins[i - 1], ": places must ascend");
      if (begins[i] >= T)
        fail<ValueError>(op, ": in row ", b, " a document begins at ", begins[i], ", beyond its ", T,
                         " tokens");
    }
  }
}

std::vector<Document> documents_of(const DocumentBegins& documents, int64_t B, int64_t T) {
  std::vector<Document> all;
  for (int64_t b = 0; b < B; ++b) {
    if (documents.empty()) {
      all.push_back({b, 0, T});
      continue;
    }
    const std::vector<int64_t>& begins = documents[static_cast<size_t>(b)];
    for (size_t i = 0; i < begins.size(); ++i)
      all.push_back({b, begins[i], (i + 1 < begins.size() ? begins[i + 1] : T) - begins[i]});
  }
  return all;
}

Array places_in_documents(const DocumentBegins& documents, int64_t B, int64_t T) {
  Array places({B, T}, int64);
  int64_t* const values = places.mutable_data<int64_t>();
  for (const Document& document : documents_of(documents, B, T))
    for (int64_t t = 0; t < document.tokens; ++t) values[document.row * T + document.first + t] = t;
  return places;
}

}  // namespace weft
