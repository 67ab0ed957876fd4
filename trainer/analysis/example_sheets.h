// Picture sheets of what each expert takes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trainer/analysis/contact_sheet.h"
#include "trainer/analysis/routing_report.h"
#include "trainer/train/trained_run.h"

namespace moefb::trainer {

struct DrawnSheet {
  ExampleSheet entry;
  Tile picture;
};

/// A sheet for each expert that is some token's first choice: the pictures, or the patches with their surroundings,
/// whose routing is surest, the surest first, at most one patch of a picture.
/// @param pictures  indices of the test set that `layers` were recorded with
/// @param watch     told how many experts are done
/// @return nothing if it was stopped
std::optional<std::vector<DrawnSheet>> draw_example_sheets(const TrainedRun& run,
                                                           const std::vector<RoutedLayer>& layers,
                                                           const std::vector<int64_t>& pictures, const Watch& watch);

/// Writes them as PNG; sheets of an earlier analysis that do not come again are removed.
/// @param folder  of routing.json; the sheets go to its folder `examples`
void write_example_sheets(const std::vector<DrawnSheet>& sheets, const std::string& folder);

}  // namespace moefb::trainer
