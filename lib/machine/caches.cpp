#include <unistd.h>
#include <weft/lib/machine/caches.h>

namespace weft {

const Caches& processor_caches() {
  static const Caches caches = [] {
    const auto told = [](int which, int64_t otherwise) {
      const long bytes = sysconf(which);
      return bytes > 0 ? int64_t{bytes} : otherwise;
    };
    const Caches usual;
    return Caches{told(_SC_LEVEL1_DCACHE_SIZE, usual.first), told(_SC_LEVEL2_CACHE_SIZE, usual.second),
                  told(_SC_LEVEL3_CACHE_SIZE, usual.third)};
  }();
  return caches;
}

}  // namespace weft
