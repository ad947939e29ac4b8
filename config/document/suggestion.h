// "Did you mean ...?"
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sallyport::config {

// The smallest number of letters put in, left out, replaced or swapped with their neighbour that makes one text of
// the other (optimal string alignment), upper and lower case being the same.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// ", did you mean \"networks\"?" where a candidate is near enough to be meant, else nothing. Says nothing for long
// texts and many candidates: a hint is not worth a wait.
[[nodiscard]] std::string suggestion(std::string_view wrong, std::span<const std::string_view> candidates);

}  // namespace sallyport::config
