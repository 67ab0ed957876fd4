#include "apps/common/json_text.h"

#include <nlohmann/json.hpp>

namespace moefb::apps {

std::string json_string(std::string_view text) {
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace moefb::apps
