#ifndef USHER_PUBLISHER_HANDLER_READER_H_
#define USHER_PUBLISHER_HANDLER_READER_H_

// Install handlers as TOML tables. Included by the description reader only.

#include "publisher/toml_reader.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {

// Reads the table `handler`, which holds exactly one of archive, exec, deb and
// msi. Faults go to the problems of `table`.
repository::v1::Handler ReadHandler(TomlTable& table);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_HANDLER_READER_H_
