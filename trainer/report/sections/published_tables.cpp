// The section that sets our runs beside the published ones.
#include "trainer/report/sections/published_tables.h"

#include "trainer/report/sections/section.h"

namespace moefb::report {

std::string our_source(const Group& group) {
  const Setup& setup = group.setup();
  return "ours (width " + std::to_string(setup.width) + ", " + std::to_string(setup.epochs) + " epochs, " +
         group.seeds_text() + ")";
}

void add_published(const Comparison& comparison, Page& page) {
  page.begin_section("published", "Beside the published figures");
  page.paragraph(
      "Published rows are shaded. They come from networks several times wider, trained longer and on other machines: "
      "the order of the models may be compared, the numbers may not.");
  for (const Panel& panel : comparison.panels) {
    if (comparison.panels.size() > 1) page.heading(panel.title);
    panel.family == Family::kHeads ? add_published_heads(panel, page) : add_published_patches(panel, page);
  }
}

}  // namespace moefb::report
