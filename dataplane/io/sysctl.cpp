#include "dataplane/io/sysctl.h"

#include <fstream>

namespace sallyport::dataplane {

bool set_sysctl(const std::string& path, const std::string& value) {
  const std::string file = "/proc/sys/" + path;
  std::string current;
  std::getline(std::ifstream(file) >> std::ws, current);
  if (current == value) return true;
  std::ofstream out(file);
  out << value << std::flush;
  return out.good();
}

}  // namespace sallyport::dataplane
