// Everything: `#include <weft/weft.h>`.
#pragma once
