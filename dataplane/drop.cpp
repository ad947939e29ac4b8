#include "dataplane/drop.h"

#include <array>

namespace sallyport::dataplane {
namespace {

struct Text {
  std::string_view name;
  std::string_view description;
};

constexpr std::array<Text, drop_count> texts = {{
#define SALLYPORT_DROP_TEXT(name, description) {#name, description},
    SALLYPORT_DROPS(SALLYPORT_DROP_TEXT)
#undef SALLYPORT_DROP_TEXT
}};

}  // namespace

std::string_view to_string(Drop drop) noexcept { return texts[static_cast<std::size_t>(drop)].name; }
std::string_view description(Drop drop) noexcept { return texts[static_cast<std::size_t>(drop)].description; }

}  // namespace sallyport::dataplane
