// What checkpoints hold. Apart from program.h, whose function weft cannot stand beside the namespace.
#pragma once

#include <string>

/// Whether two checkpoint files hold the same under `name`, names and bits.
bool same_part(const std::string& name, const std::string& path, const std::string& other);
