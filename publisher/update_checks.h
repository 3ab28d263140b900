#ifndef USHER_PUBLISHER_UPDATE_CHECKS_H_
#define USHER_PUBLISHER_UPDATE_CHECKS_H_

// What every published update keeps to, however it was described.

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace usher::v1 {
class Category;
}  // namespace usher::v1
namespace usher::repository::v1 {
class Handler;
class Payload;
class Rule;
class CatalogHeader;
class UpdateDescription;
}  // namespace usher::repository::v1

namespace usher::publisher {

// Checks a whole description: identity, texts, sizes, payloads, handler and
// rules. WU_E_INVALID_UPDATE with the reason, the update's name as subject.
absl::Status CheckUpdate(const repository::v1::UpdateDescription& description);

// Refuses an update that supersedes one by which, perhaps by way of others, it
// is superseded itself: they would hide each other. `find` gives the
// description of another update of the repository, or false.
// WU_E_INVALID_UPDATE.
absl::Status CheckSupersedence(
    const repository::v1::UpdateDescription& description,
    absl::FunctionRef<bool(absl::string_view update_id,
                           repository::v1::UpdateDescription& found)>
        find);

// What clients will say of a complete description or of the header, by their
// own code: what they refuse costs them the whole catalog.
absl::Status CheckAsClients(
    const repository::v1::UpdateDescription& description);
absl::Status CheckAsClients(const repository::v1::CatalogHeader& header);

// The parts, for callers that can say where in their input a fault lies.
absl::Status CheckPayload(const repository::v1::Payload& payload);
absl::Status CheckHandler(const repository::v1::Handler& handler,
                          int payload_count);
// Depth at most 16, at most 256 nodes, each node complete.
// WU_E_EE_INVALID_EXPRESSION.
absl::Status CheckRule(const repository::v1::Rule& rule);

// Id, name and type. WU_E_INVALID_UPDATE.
absl::Status CheckCategory(const usher::v1::Category& category);

// "letters, digits, '.', '_', '+', '-'" and what else `also` allows; 1 to 128
// bytes, not "." or "..".
bool IsProductName(absl::string_view text, absl::string_view also = "");

// A plain file name that every platform can hold: no separator, control
// character or Windows-reserved character, 1 to 255 bytes, not "." or "..".
bool IsPayloadName(absl::string_view text);

// A language tag of the shape "de" or "pt-BR".
bool IsLanguageTag(absl::string_view text);

// "http://…" or "https://…" without white space.
bool IsHttpUrl(absl::string_view text);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_UPDATE_CHECKS_H_
