// The sections of the page, in their order. Each writes what the runs have data for, and one sentence on what is
// missing.
#pragma once

#include "trainer/report/comparison.h"
#include "trainer/report/page/page.h"

namespace moefb::report {

void add_compared(const Comparison& comparison, Page& page);
void add_curves(const Comparison& comparison, Page& page);
void add_published(const Comparison& comparison, Page& page);
void add_routing(const Comparison& comparison, Page& page);
void add_curvature(const Comparison& comparison, Page& page);
void add_efficiency(const Comparison& comparison, Page& page);
void add_examples(const Comparison& comparison, Page& page);

/// One sentence on who does best on the test pictures; "" where no run of the panel was tested.
std::string test_accuracy_title(const Panel& panel);

}  // namespace moefb::report
