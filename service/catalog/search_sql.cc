#include "service/catalog/search_sql.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "usher/v1/types.pb.h"

namespace usher::catalog {
namespace {

// Characters that the trigram index needs at least.
constexpr int kTrigram = 3;

class Builder {
 public:
  explicit Builder(int64_t service) : service_(service) {}

  // The condition that one of `groups` holds; "0" for none.
  std::string AnyOf(const std::vector<const AndGroup*>& groups) {
    if (groups.empty()) return "0";
    std::string sql = "(";
    for (const AndGroup* group : groups) {
      absl::StrAppend(&sql, sql.size() == 1 ? "" : " OR ", Group(*group));
    }
    return sql + ")";
  }

  std::string Parameter(std::variant<int64_t, std::string> value) {
    parameters_.push_back(std::move(value));
    return absl::StrCat("?", parameters_.size());
  }

  std::string Text(const std::string& text) {
    const auto characters = std::count_if(
        text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
    if (characters >= kTrigram) {
      const std::string phrase =
          absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
      return absl::StrCat(
          "u.id IN (SELECT rowid FROM catalog_search WHERE catalog_search "
          "MATCH ",
          Parameter(phrase), ")");
    }
    const std::string pattern = Parameter(absl::StrCat(
        "%",
        absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"%", "\\%"}, {"_", "\\_"}}),
        "%"));
    return absl::StrCat("u.id IN (SELECT id FROM catalog_text WHERE name LIKE ",
                        pattern, " ESCAPE '\\' OR title LIKE ", pattern,
                        " ESCAPE '\\')");
  }

  std::vector<std::variant<int64_t, std::string>> TakeParameters() {
    return std::move(parameters_);
  }

 private:
  std::string Group(const AndGroup& group) {
    bool has_action = false;
    bool has_revision = false;
    bool asks_absent = false;
    bool asks_present = false;
    std::string sql;
    for (const Criterion& criterion : group) {
      asks_absent |=
          criterion.property == Property::kIsInstalled && criterion.number == 0;
      asks_present |=
          criterion.property == Property::kIsPresent && criterion.number == 1;
      has_action |= criterion.property == Property::kDeploymentAction;
      has_revision |= criterion.property == Property::kRevisionNumber;
      absl::StrAppend(&sql, sql.empty() ? "(" : " AND ", One(criterion));
    }
    // Implied in every and-group (UAMG-064, 065).
    if (!has_action) {
      absl::StrAppend(&sql,
                      " AND u.action = ", v1::DEPLOYMENT_ACTION_INSTALLATION);
    }
    if (!has_revision) absl::StrAppend(&sql, " AND u.current = 1");
    // What is there in part or in an older revision is offered, too, only
    // where it can be installed.
    if (asks_absent && !asks_present) {
      absl::StrAppend(&sql, " AND u.is_installable = 1");
    }
    return sql + ")";
  }

  std::string One(const Criterion& criterion) {
    const char* compare = criterion.negated ? " != " : " = ";
    switch (criterion.property) {
      case Property::kType:
        return absl::StrCat("u.type", compare, criterion.number);
      case Property::kDeploymentAction:
        return absl::StrCat("u.action = ", criterion.number);
      case Property::kIsAssigned:
        return absl::StrCat("u.is_assigned = ", criterion.number);
      case Property::kAutoSelectOnWebSites:
        return absl::StrCat("u.auto_select = ", criterion.number);
      case Property::kBrowseOnly:
        return absl::StrCat("u.browse_only = ", criterion.number);
      case Property::kUpdateId:
        return absl::StrCat("u.update_id", compare, Parameter(criterion.text));
      case Property::kRevisionNumber:
        return absl::StrCat("u.revision = ", criterion.number);
      case Property::kCategoryIds:
        return Category(criterion.text);
      case Property::kIsInstalled:
        return absl::StrCat("u.is_installed = ", criterion.number);
      case Property::kIsHidden:
        return absl::StrCat("u.is_hidden = ", criterion.number);
      case Property::kIsPresent:
        return absl::StrCat("u.is_present = ", criterion.number);
      case Property::kRebootRequired:
        return absl::StrCat("u.reboot_required = ", criterion.number);
    }
    return "0";
  }

  // The category or one below it: updates are only ever put into products and
  // classifications (UAMG-102), so a family or company means those below.
  std::string Category(const std::string& category_id) {
    const std::string service = Parameter(service_);
    return absl::StrCat(
        "u.id IN (WITH RECURSIVE below(id, category_id) AS ("
        "SELECT id, category_id FROM catalog_category WHERE service = ",
        service, " AND category_id = ", Parameter(category_id),
        " UNION SELECT c.id, c.category_id FROM below CROSS JOIN "
        "catalog_category c ON c.service = ",
        service,
        " AND c.parent_id = below.category_id) SELECT m.row FROM below CROSS "
        "JOIN catalog_member m ON m.category = below.id)");
  }

  const int64_t service_;
  std::vector<std::variant<int64_t, std::string>> parameters_;
};

bool AsksForAssigned(const AndGroup& group) {
  return std::any_of(group.begin(), group.end(), [](const Criterion& c) {
    return c.property == Property::kIsAssigned && c.number == 1;
  });
}

bool NamesUpdate(const AndGroup& group) {
  return std::any_of(group.begin(), group.end(), [](const Criterion& c) {
    return c.property == Property::kUpdateId && !c.negated;
  });
}

SearchSql OneStatement(const std::vector<const AndGroup*>& groups,
                       const Query& query, int64_t service, bool by_update) {
  Builder builder(service);
  std::vector<const AndGroup*> without_assigned;
  std::copy_if(groups.begin(), groups.end(),
               std::back_inserter(without_assigned),
               [](const AndGroup* group) { return !AsksForAssigned(*group); });
  std::string one_per_device = "0";
  if (without_assigned.size() < groups.size()) {
    one_per_device = absl::StrCat("u.type = ", v1::UPDATE_TYPE_DRIVER,
                                  " AND NOT ", builder.AnyOf(without_assigned));
  }
  const bool per_user =
      query.search_scope == v1::SEARCH_SCOPE_CURRENT_USER_ONLY;
  SearchSql result;
  // The signs keep the planner from an index that nearly all rows are in: such
  // a scan jumps about in the table. The sum does the same.
  result.sql = absl::StrCat(
      "SELECT u.id, u.current, ", one_per_device,
      " FROM catalog_update u WHERE ", by_update ? "" : "+", "u.retired = 0 ",
      "AND u.service = ", builder.Parameter(service),
      " AND u.is_installable + u.is_present > 0 AND u.per_user = ",
      per_user ? 1 : 0, " AND ", builder.AnyOf(groups));
  if (!query.text.empty()) {
    absl::StrAppend(&result.sql, " AND ", builder.Text(query.text));
  }
  result.parameters = builder.TakeParameters();
  return result;
}

}  // namespace

std::vector<SearchSql> MakeSearchSql(const Criteria& criteria,
                                     const Query& query, int64_t service) {
  std::vector<SearchSql> statements;
  std::vector<const AndGroup*> others;
  for (const AndGroup& group : criteria) {
    if (NamesUpdate(group)) {
      statements.push_back(
          OneStatement({&group}, query, service, /*by_update=*/true));
    } else {
      others.push_back(&group);
    }
  }
  if (!others.empty()) {
    statements.push_back(
        OneStatement(others, query, service, /*by_update=*/false));
  }
  return statements;
}

}  // namespace usher::catalog
