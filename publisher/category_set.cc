#include "publisher/category_set.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/error.h"
#include "common/uuid.h"
#include "publisher/update_checks.h"

namespace usher::publisher {
namespace {

struct Classification {
  absl::string_view id;
  absl::string_view name;
};

// The ids are those of Microsoft's update services, so that criteria written
// for them find the same kind of update here.
constexpr Classification kClassifications[] = {
    {"5c9376ab-8ce6-464a-b136-22113dd69801", "Applications"},
    {"e6cf1350-c01b-414d-a61f-263d14d133b4", "Critical Updates"},
    {"e0789628-ce08-4437-be74-2495b842f43b", "Definition Updates"},
    {"ebfc1fc5-71a4-4f7b-9aca-3b9a503104a0", "Drivers"},
    {"b54e7d24-7add-428f-8b75-90a396fa584f", "Feature Packs"},
    {"0fa1201d-4330-4fa8-8ae9-b877473b6441", "Security Updates"},
    {"68c5b0a3-d1a6-4553-ae49-01d3a7827828", "Service Packs"},
    {"b4832bd8-e735-4761-8daf-37f882276dab", "Tools"},
    {"28bc880e-0592-4cbf-8f95-c79b17911d5f", "Update Rollups"},
    {"cd5ffd1e-e932-4e3a-bf74-18bf0b1bbd83", "Updates"},
};

}  // namespace

CategorySet::CategorySet() {
  for (const Classification& classification : kClassifications) {
    usher::v1::Category category;
    category.set_category_id(std::string(classification.id));
    category.set_name(std::string(classification.name));
    category.set_type("UpdateClassification");
    by_id_[category.category_id()] = category;
  }
}

absl::Status CategorySet::Add(const usher::v1::Category& category) {
  USHER_RETURN_IF_ERROR(CheckCategory(category));
  // Walk up from the parent: it must exist, and must not lead back here.
  std::string ancestor = category.parent_category_id();
  while (!ancestor.empty()) {
    const usher::v1::Category* found = Find(ancestor);
    if (found == nullptr || ancestor == category.category_id()) {
      return Error(
          hr::kWuEInvalidUpdate,
          absl::StrCat("category \"", category.name(), "\": parent ", ancestor,
                       found == nullptr ? " is unknown; declare it "
                                          "before its children"
                                        : " is the category itself"),
          category.name());
    }
    ancestor = found->parent_category_id();
  }
  by_id_[category.category_id()] = category;
  return absl::OkStatus();
}

absl::StatusOr<std::string> CategorySet::Resolve(
    absl::string_view id_or_name) const {
  if (const auto uuid = CanonicalUuid(id_or_name); uuid.ok()) {
    if (Find(*uuid) != nullptr) return *uuid;
  }
  std::vector<std::string> matches;
  std::set<std::string> names;
  for (const auto& [id, category] : by_id_) {
    names.insert(category.name());
    if (absl::EqualsIgnoreCase(category.name(), id_or_name)) {
      matches.push_back(id);
    }
  }
  if (matches.size() == 1) return matches.front();
  if (matches.size() > 1) {
    return Error(
        hr::kWuEUnknownId,
        absl::StrCat("there are ", matches.size(), " categories named \"",
                     id_or_name,
                     "\"; give the id of one: ", absl::StrJoin(matches, ", ")),
        id_or_name);
  }
  return Error(hr::kWuEUnknownId,
               absl::StrCat("there is no category \"", id_or_name,
                            "\"; declare it in a [[category]] table, or use "
                            "one of: ",
                            absl::StrJoin(names, ", ")),
               id_or_name);
}

const usher::v1::Category* CategorySet::Find(absl::string_view id) const {
  const auto it = by_id_.find(std::string(id));
  return it == by_id_.end() ? nullptr : &it->second;
}

std::vector<const usher::v1::Category*> CategorySet::Closure(
    const std::vector<std::string>& ids) const {
  const std::set<std::string> wanted(ids.begin(), ids.end());
  std::vector<const usher::v1::Category*> result;
  std::set<std::string> done;
  for (const std::string& id : wanted) {
    std::vector<const usher::v1::Category*> path;
    const usher::v1::Category* category = Find(id);
    while (category != nullptr && done.insert(category->category_id()).second) {
      path.push_back(category);
      category = Find(category->parent_category_id());
    }
    result.insert(result.end(), path.rbegin(), path.rend());
  }
  return result;
}

std::vector<const usher::v1::Category*> CategorySet::All() const {
  std::vector<std::string> ids;
  for (const auto& [id, category] : by_id_) ids.push_back(id);
  return Closure(ids);
}

std::string CategoryId(absl::string_view service_id, absl::string_view type,
                       absl::string_view name) {
  return NamedUuid(service_id, absl::StrCat("category:", type, ":", name));
}

}  // namespace usher::publisher
