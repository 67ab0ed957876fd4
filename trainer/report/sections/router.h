// What the routers did, from metrics.jsonl alone: by epoch, and by layer at the end.
#pragma once

#include <vector>

#include "trainer/report/comparison.h"
#include "trainer/report/page/page.h"

namespace moefb::report {

/// Entropy, shares and load of the experts; of patch networks the published router metrics.
void add_router_epochs(const Panel& panel, std::vector<Figure>& figures);

/// Of patch networks: the router metrics and the experts' shares in every layer, of the test or else the last epoch.
void add_router_layers(const Panel& panel, std::vector<Figure>& figures);

/// The record that speaks for the trained network: of the test, else of the last epoch's validation; may be empty.
const RouterRecord& final_router(const Run& run);

}  // namespace moefb::report
