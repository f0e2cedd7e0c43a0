// DocumentBegins that share a row of tokens.
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <vector>

namespace weft {

/// Where in each row its documents begin, ascending from 0 (Batch::documents). Empty: each row is one.
using DocumentBegins = std::vector<std::vector<int64_t>>;

struct Document {
  int64_t row, first, tokens;
};

/// ValueError that names `op`, the row and the place unless there is a list for each of B rows, which begins with 0,
/// ascends and stays below T.
void check_documents(const char* op, const DocumentBegins& documents, int64_t B, int64_t T);
/// All documents in order, whole rows where none are given. To be checked before.
std::vector<Document> documents_of(const DocumentBegins& documents, int64_t B, int64_t T);
/// The place of each token in its document, int64 (B, T). To be checked before.
Array places_in_documents(const DocumentBegins& documents, int64_t B, int64_t T);

}  // namespace weft
