#include "checkpoints.h"

#include <weft/lib/files/checkpoint.h>

bool same_part(const std::string& name, const std::string& path, const std::string& other) {
  return identical(weft::read_checkpoint(path).dict(name), weft::read_checkpoint(other).dict(name));
}
