#include <weft/lib/array/data_shape.h>
#include <weft/lib/base/error.h>

namespace weft {

const char* name_of(TaskKind kind) {
  switch (kind) {
    case TaskKind::language:
      return "language";
    case TaskKind::masked:
      return "masked";
    case TaskKind::classification:
      return "classification";
    case TaskKind::pairs:
      return "pairs";
    case TaskKind::pictures:
      return "pictures";
    case TaskKind::patches:
      return "patches";
    case TaskKind::sounds:
      return "sounds";
    case TaskKind::transcripts:
      return "transcripts";
  }
  fail<ValueError>("task: no kind ", static_cast<int>(kind));
}

}  // namespace weft
