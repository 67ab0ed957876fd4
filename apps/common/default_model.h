// The model of a program that was given none.
#pragma once

#include <string>

namespace moefb::apps {

/// The file that the text file `default` names, both in ../share/moefb/models as seen from the program's folder. (A
/// build folder has a link there, to models/ of the source tree.)
/// @throws std::runtime_error that names the folder looked in, or the file that is named and not there
std::string default_model();

}  // namespace moefb::apps
