// `trainer report`: run folders to one page of HTML. Start reading here.
#pragma once

#include <string>
#include <vector>

namespace moefb::report {

struct ReportCommand {
  std::vector<std::string> runs;  ///< run folders, at least one
  std::string out;                ///< the page; "": report.html in the first run's folder
};

/// Writes the page, and the data of its figures as CSV into the folder NAME-data beside NAME.html.
/// @return the exit code, 0
/// @throws std::runtime_error with a message for the user: see read_run(); a run given twice; files that cannot be
///         written. The page is written last, and whole or not at all.
int report(const ReportCommand& command);

}  // namespace moefb::report
