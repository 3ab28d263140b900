#include "service/catalog/criteria.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "usher/v1/types.pb.h"

namespace usher::catalog {
namespace {

enum class Value { kFlag, kInteger, kType, kAction, kText };

struct PropertyInfo {
  absl::string_view name;
  Property property;
  Value value;
  bool may_negate;
};

constexpr PropertyInfo kProperties[] = {
    {"Type", Property::kType, Value::kType, true},
    {"DeploymentAction", Property::kDeploymentAction, Value::kAction, false},
    {"IsAssigned", Property::kIsAssigned, Value::kFlag, false},
    {"AutoSelectOnWebSites", Property::kAutoSelectOnWebSites, Value::kFlag,
     false},
    {"BrowseOnly", Property::kBrowseOnly, Value::kFlag, false},
    {"UpdateID", Property::kUpdateId, Value::kText, true},
    {"RevisionNumber", Property::kRevisionNumber, Value::kInteger, false},
    {"CategoryIDs", Property::kCategoryIds, Value::kText, false},
    {"IsInstalled", Property::kIsInstalled, Value::kFlag, false},
    {"IsHidden", Property::kIsHidden, Value::kFlag, false},
    {"IsPresent", Property::kIsPresent, Value::kFlag, false},
    {"RebootRequired", Property::kRebootRequired, Value::kFlag, false},
};

enum class Operator { kEqual, kNotEqual, kContains };

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// A recursive descent without recursion: parentheses only nest and-groups, so
// a depth counter does.
class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  absl::StatusOr<Criteria> Parse() {
    Criteria criteria;
    while (true) {
      USHER_ASSIGN_OR_RETURN(AndGroup group, ParseGroup());
      USHER_RETURN_IF_ERROR(CheckGroup(group));
      criteria.push_back(std::move(group));
      // ParseGroup stops at the end or behind an "or".
      if (position_ == text_.size()) return criteria;
    }
  }

 private:
  absl::Status Fail(absl::string_view reason) const {
    return FailAt(position_, reason);
  }
  static absl::Status FailAt(size_t position, absl::string_view reason) {
    return Error(hr::kWuEInvalidCriteria,
                 absl::StrCat("invalid criteria at position ", position + 1,
                              ": ", reason),
                 "criteria");
  }

  bool AtEnd() const { return position_ == text_.size(); }

  // Returns whether there was any white space.
  bool SkipSpace() {
    const size_t start = position_;
    while (!AtEnd() && IsSpace(text_[position_])) ++position_;
    return position_ > start;
  }

  bool Take(absl::string_view word) {
    if (!absl::StartsWithIgnoreCase(text_.substr(position_), word)) {
      return false;
    }
    position_ += word.size();
    return true;
  }

  // Takes "and" or "or" with the white space that must follow it.
  bool TakeConnective(absl::string_view word) {
    const size_t start = position_;
    if (Take(word) && SkipSpace()) return true;
    position_ = start;
    return false;
  }

  // Parses one and-group up to the end of the text or past an "or".
  absl::StatusOr<AndGroup> ParseGroup() {
    AndGroup group;
    int depth = 0;
    while (true) {
      SkipSpace();
      while (Take("(")) {
        ++depth;
        SkipSpace();
      }
      if (++criteria_ > kMaxCriteria) {
        return Fail(absl::StrCat("more than ", kMaxCriteria, " criteria"));
      }
      USHER_ASSIGN_OR_RETURN(Criterion criterion, ParseCriterion());
      group.push_back(std::move(criterion));
      bool space = SkipSpace();
      while (!AtEnd() && text_[position_] == ')') {
        if (depth == 0) return Fail("')' without '('");
        --depth;
        ++position_;
        space = SkipSpace();
      }
      if (AtEnd()) {
        if (depth > 0) return Fail("a ')' is missing");
        return group;
      }
      if (!space) {
        return Fail("white space is required before 'and' and 'or'");
      }
      if (TakeConnective("and")) continue;
      if (TakeConnective("or")) {
        if (depth > 0) {
          return Fail("'or' is not allowed inside parentheses");
        }
        if (AtEnd()) return Fail("a criterion must follow 'or'");
        return group;
      }
      return Fail("expected 'and', 'or', ')' or the end");
    }
  }

  absl::StatusOr<Criterion> ParseCriterion() {
    const PropertyInfo* info = nullptr;
    const size_t start = position_;
    for (const PropertyInfo& candidate : kProperties) {
      if (Take(candidate.name)) {
        info = &candidate;
        break;
      }
    }
    if (info == nullptr) return Fail(UnknownName());
    SkipSpace();
    Operator op;
    if (Take("=")) {
      op = Operator::kEqual;
    } else if (Take("!=")) {
      op = Operator::kNotEqual;
    } else if (Take("contains")) {
      op = Operator::kContains;
    } else {
      // A longer, unknown name that begins with a known one ends up here.
      return FailAt(position_, absl::StrCat("expected '=', '!=' or 'contains' "
                                            "after ",
                                            info->name));
    }
    const bool wants_contains = info->property == Property::kCategoryIds;
    if ((op == Operator::kContains) != wants_contains ||
        (op == Operator::kNotEqual && !info->may_negate)) {
      return FailAt(start, absl::StrCat("this operator cannot be used with ",
                                        info->name));
    }
    SkipSpace();
    Criterion criterion{.property = info->property,
                        .negated = op == Operator::kNotEqual};
    USHER_RETURN_IF_ERROR(ParseValue(*info, criterion));
    if (!AtEnd() && !IsSpace(text_[position_]) && text_[position_] != ')') {
      return Fail("white space, ')' or the end must follow a value");
    }
    return criterion;
  }

  std::string UnknownName() const {
    size_t end = position_;
    while (end < text_.size() && absl::ascii_isalnum(text_[end]) &&
           end - position_ < 64) {
      ++end;
    }
    if (end == position_) return "expected a criterion";
    return absl::StrCat("unknown criterion ",
                        text_.substr(position_, end - position_));
  }

  absl::Status ParseValue(const PropertyInfo& info, Criterion& criterion) {
    const size_t start = position_;
    if (info.value == Value::kFlag || info.value == Value::kInteger) {
      USHER_ASSIGN_OR_RETURN(criterion.number, ParseInteger(info.name));
      if (info.value == Value::kFlag && criterion.number != 0 &&
          criterion.number != 1) {
        return FailAt(start, absl::StrCat(info.name, " is 0 or 1"));
      }
      return absl::OkStatus();
    }
    USHER_ASSIGN_OR_RETURN(const std::string text, ParseString(info.name));
    if (info.value == Value::kText) {
      criterion.text = absl::AsciiStrToLower(text);
      return absl::OkStatus();
    }
    if (info.value == Value::kType) {
      if (absl::EqualsIgnoreCase(text, "Software")) {
        criterion.number = v1::UPDATE_TYPE_SOFTWARE;
      } else if (absl::EqualsIgnoreCase(text, "Driver")) {
        criterion.number = v1::UPDATE_TYPE_DRIVER;
      } else {
        return FailAt(start, "Type is 'Software' or 'Driver'");
      }
      return absl::OkStatus();
    }
    if (absl::EqualsIgnoreCase(text, "Installation")) {
      criterion.number = v1::DEPLOYMENT_ACTION_INSTALLATION;
    } else if (absl::EqualsIgnoreCase(text, "Uninstallation")) {
      criterion.number = v1::DEPLOYMENT_ACTION_UNINSTALLATION;
    } else if (absl::EqualsIgnoreCase(text, "OptionalInstallation")) {
      criterion.number = v1::DEPLOYMENT_ACTION_OPTIONAL_INSTALLATION;
    } else {
      return FailAt(start,
                    "DeploymentAction is 'Installation', 'Uninstallation' or "
                    "'OptionalInstallation'");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> ParseInteger(absl::string_view name) {
    const size_t start = position_;
    if (!AtEnd() && text_[position_] == '-') ++position_;
    const size_t digits = position_;
    while (!AtEnd() && absl::ascii_isdigit(text_[position_])) ++position_;
    if (position_ == digits) {
      return FailAt(start, absl::StrCat(name,
                                        " takes a decimal number without "
                                        "quotes"));
    }
    int64_t number = 0;
    if (!absl::SimpleAtoi(text_.substr(start, position_ - start), &number)) {
      return FailAt(start, "the number is too large");
    }
    return number;
  }

  // Undoes EscapeString: "[']", "[[]" and "[]]" stand for the character inside.
  absl::StatusOr<std::string> ParseString(absl::string_view name) {
    const size_t start = position_;
    if (!Take("'")) {
      return Fail(absl::StrCat(name, " takes text in single quotes"));
    }
    std::string value;
    while (!AtEnd()) {
      const char c = text_[position_];
      if (c == '\'') {
        ++position_;
        return value;
      }
      if (c == '[') {
        const absl::string_view escape = text_.substr(position_, 3);
        if (escape != "[']" && escape != "[[]" && escape != "[]]") {
          return Fail("'[' must be written as '[[]'");
        }
        value.push_back(escape[1]);
        position_ += 3;
        continue;
      }
      if (c == ']') return Fail("']' must be written as '[]]'");
      if (c == '\0') return Fail("a NUL character");
      value.push_back(c);
      ++position_;
    }
    return FailAt(start, "the closing quote is missing");
  }

  absl::Status CheckGroup(const AndGroup& group) const {
    bool revision = false;
    bool equal = false;
    bool unequal = false;
    for (const Criterion& criterion : group) {
      revision |= criterion.property == Property::kRevisionNumber;
      if (criterion.property == Property::kUpdateId) {
        (criterion.negated ? unequal : equal) = true;
      }
    }
    if (revision && (!equal || unequal)) {
      return Fail(
          "RevisionNumber needs UpdateID= beside it, in the same and-group, "
          "and no UpdateID!=");
    }
    return absl::OkStatus();
  }

  const absl::string_view text_;
  size_t position_ = 0;
  int criteria_ = 0;
};

}  // namespace

absl::StatusOr<Criteria> ParseCriteria(absl::string_view text) {
  if (text.size() > kMaxCriteriaBytes) {
    return Error(hr::kWuEInvalidCriteria,
                 absl::StrCat("the criteria are longer than ",
                              kMaxCriteriaBytes, " bytes"),
                 "criteria");
  }
  return Parser(text.empty() ? kDefaultCriteria : text).Parse();
}

}  // namespace usher::catalog
