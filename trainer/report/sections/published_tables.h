// Tables that set our runs beside the published figures.
#pragma once

#include <string>

#include "trainer/report/comparison.h"
#include "trainer/report/page/page.h"
#include "trainer/report/published.h"

namespace moefb::report {

void add_published_heads(const Panel& panel, Page& page);
void add_published_patches(const Panel& panel, Page& page);

/// "ours (width 16, 60 epochs, 3 seeds)": nobody should take our small runs for the published ones.
std::string our_source(const Group& group);

}  // namespace moefb::report
