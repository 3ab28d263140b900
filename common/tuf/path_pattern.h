#ifndef USHER_COMMON_TUF_PATH_PATTERN_H_
#define USHER_COMMON_TUF_PATH_PATTERN_H_

// The patterns by which a role says for which targets it delegates trust
// (specification, section 4.5, PATHPATTERN).

#include "absl/strings/string_view.h"

namespace usher::tuf {

// Whether `pattern` describes the whole of `path`: `*` stands for any
// characters, `?` for one, `[a-z]` for one of a set, `[!a-z]` for one that is
// not in it; none of them for a '/'. A '[' without its ']' stands for itself.
// Bytes are compared as they are, with regard to case. Takes time in
// proportion to the product of both lengths at most.
bool MatchesPathPattern(absl::string_view pattern, absl::string_view path);

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_PATH_PATTERN_H_
