#ifndef USHER_TESTS_UNIT_SESSION_CALLS_H_
#define USHER_TESTS_UNIT_SESSION_CALLS_H_

// Calls that many tests make on a World, by its administrator unless they say
// by whom.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/session/authority.h"
#include "service/session/job.h"
#include "tests/unit/session/fakes.h"
#include "usher/v1/job.pb.h"
#include "usher/v1/types.pb.h"

namespace usher::testing {

// Opens the session "test", or attaches to it; its name.
std::string OpenName(World& world, const session::Call& call);

// Names the updates of the World's service with these numbers.
google::protobuf::RepeatedPtrField<v1::UpdateKey> Keys(
    const std::vector<int>& updates);

// Begins a download or installation of these updates; the job's name.
absl::StatusOr<std::string> Download(
    World& world, const std::string& session, const std::vector<int>& updates,
    bool forced = false, const session::Call& call = CallOf("uid:0", true));
absl::StatusOr<std::string> Install(World& world, const std::string& session,
                                    const std::vector<int>& updates);

// Null when there is none.
std::shared_ptr<session::Job> Find(World& world, const std::string& name);

// The job once it is settled.
v1::Job WaitFor(const std::shared_ptr<session::Job>& job);
v1::Job WaitFor(World& world, const std::string& name);

}  // namespace usher::testing

#endif  // USHER_TESTS_UNIT_SESSION_CALLS_H_
