// Any bytes as Kubernetes YAML: they are refused with a reason, or make a policy that sallyport check takes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/import.h"

namespace {

using namespace sallyport;
using namespace sallyport::config;

void must(bool holds) {
  if (!holds) std::abort();
}

void check_reports(const ImportedPolicy& imported) {
  for (const Diagnostic& report : imported.reports.all()) {
    must(report.at.file < imported.files.size());
    must(!report.message.empty());
    must(to_text(report, imported.files).find('\0') == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const ImportedPolicy imported = import_kubernetes({{"in.yaml", text}}, {});
  check_reports(imported);
  must(imported.toml.has_value() || imported.reports.has_errors());
  // YAML that can be read always makes a policy: what would not be valid is left out before it is written.
  for (const Diagnostic& report : imported.reports.all()) {
    must(report.key_path != "policy" || report.severity != Severity::error);
  }
  return 0;
}
