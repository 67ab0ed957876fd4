// The model of a program that was given none.
#pragma once

#include <string>

namespace moefb::apps {

/// The file that the text file `default` names: beside the installed programs in ../share/moefb/models, else in models/
/// of the source tree that the program was built from.
/// @throws std::runtime_error that names the folders looked in, or the file that is named and not there
std::string default_model();

}  // namespace moefb::apps
