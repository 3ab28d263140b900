#include "publisher/rule_reader.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/catalog/check_rule.h"
#include "common/catalog/names.h"
#include "common/sha256.h"
#include "common/uuid.h"
#include "common/windows_names.h"
#include "publisher/staging.h"
#include "publisher/update_checks.h"

namespace usher::publisher {
namespace {

using repository::v1::Comparison;
using repository::v1::Rule;

// Deeper nesting is refused by CheckRule as well; this bounds the recursion.
constexpr int kMaxDepth = 16;

constexpr absl::string_view kKinds =
    "all_of, any_of, not, constant, operating_system, architecture, file, "
    "registry, msi_product, debian_package, installed_update, machine_label, "
    "rollout, channel";

struct VersionTest {
  Comparison comparison = repository::v1::COMPARISON_EXISTS;
  std::string version;
};

// ">= 2.10" and the like; absent means "is there at all".
VersionTest ReadVersionTest(TomlTable& table, absl::string_view key) {
  struct Operator {
    absl::string_view text;
    Comparison comparison;
  };
  static constexpr Operator kOperators[] = {
      {">=", repository::v1::COMPARISON_GREATER_OR_EQUAL},
      {"<=", repository::v1::COMPARISON_LESS_OR_EQUAL},
      {"!=", repository::v1::COMPARISON_NOT_EQUAL},
      {"=", repository::v1::COMPARISON_EQUAL},
      {">", repository::v1::COMPARISON_GREATER},
      {"<", repository::v1::COMPARISON_LESS},
  };
  VersionTest test;
  if (!table.Has(key)) return test;
  const std::string text = table.RequiredString(key);
  if (text.empty()) return test;
  for (const Operator& candidate : kOperators) {
    if (!absl::StartsWith(text, candidate.text)) continue;
    test.comparison = candidate.comparison;
    test.version = std::string(absl::StripAsciiWhitespace(
        absl::string_view(text).substr(candidate.text.size())));
    if (test.version.empty()) {
      table.Fault(key, "has no version after the operator");
    }
    return test;
  }
  table.Fault(key,
              "must begin with =, !=, <, <=, > or >=, for example \">= 2.10\"");
  return test;
}

class RuleReader {
 public:
  explicit RuleReader(TomlProblems& problems) : problems_(problems) {}

  Rule Read(const toml::table& table, const std::string& path, int depth) {
    TomlTable reader(table, path, problems_);
    Rule rule;
    if (depth > kMaxDepth) {
      problems_.Add(table.source(), "rules are nested deeper than 16");
      return rule;
    }
    if (table.size() != 1) {
      problems_.Add(table.source(),
                    absl::StrCat(path,
                                 ": a rule has exactly one key; join several "
                                 "with all_of or any_of. Kinds: ",
                                 kKinds));
      return rule;
    }
    const std::string kind(table.begin()->first.str());
    if (kind == "all_of") {
      ReadList(reader, kind, depth, *rule.mutable_all_of());
    } else if (kind == "any_of") {
      ReadList(reader, kind, depth, *rule.mutable_any_of());
    } else if (kind == "not") {
      if (const toml::table* child = reader.Table(kind); child != nullptr) {
        *rule.mutable_not_() = Read(*child, reader.PathOf(kind), depth + 1);
      }
    } else if (kind == "constant") {
      rule.set_constant(reader.Bool(kind, false));
    } else if (kind == "architecture") {
      ReadArchitecture(reader, *rule.mutable_architecture());
    } else if (kind == "machine_label") {
      rule.mutable_machine_label()->set_label(reader.RequiredString(kind, 256));
    } else if (kind == "channel") {
      auto& channels = *rule.mutable_channel()->mutable_channels();
      for (std::string& name : ReadChannels(reader, kind)) {
        *channels.Add() = std::move(name);
      }
    } else {
      ReadTableKind(reader, kind, rule);
    }
    return rule;
  }

 private:
  void ReadList(TomlTable& reader, const std::string& kind, int depth,
                Rule::List& list) {
    int index = 0;
    for (const toml::table* child : reader.Tables(kind)) {
      *list.add_rules() =
          Read(*child, absl::StrCat(reader.PathOf(kind), "[", index, "]"),
               depth + 1);
      ++index;
    }
  }

  static void ReadArchitecture(TomlTable& reader,
                               repository::v1::ArchitectureRule& rule) {
    for (std::string& name : reader.Strings("architecture", 16)) {
      if (name != "amd64" && name != "arm64" && name != "i386" &&
          name != "all") {
        reader.Fault("architecture",
                     absl::StrCat("unknown architecture \"", name,
                                  "\"; known: amd64, arm64, i386, all"));
      }
      rule.add_architectures(std::move(name));
    }
    if (rule.architectures().empty()) {
      reader.Fault("architecture", "names no architecture");
    }
  }

  void ReadTableKind(TomlTable& reader, const std::string& kind, Rule& rule) {
    static constexpr absl::string_view kTableKinds[] = {
        "operating_system", "file",           "registry",
        "msi_product",      "debian_package", "installed_update",
        "rollout"};
    if (std::find(std::begin(kTableKinds), std::end(kTableKinds), kind) ==
        std::end(kTableKinds)) {
      problems_.Add(
          reader.table().begin()->first.source(),
          absl::StrCat("unknown rule \"", kind, "\"; kinds: ", kKinds));
      return;
    }
    const toml::table* body = reader.Table(kind);
    if (body == nullptr) return;
    TomlTable table(*body, reader.PathOf(kind), problems_);
    if (kind == "operating_system") {
      ReadOperatingSystem(table, *rule.mutable_operating_system());
    } else if (kind == "file") {
      ReadFileRule(table, *rule.mutable_file());
    } else if (kind == "registry") {
      ReadRegistry(table, *rule.mutable_registry());
    } else if (kind == "msi_product") {
      ReadMsiProduct(table, *rule.mutable_msi_product());
    } else if (kind == "debian_package") {
      auto& r = *rule.mutable_debian_package();
      r.set_package(table.RequiredString("package", 256));
      Assign(ReadVersionTest(table, "version"), r);
      r.set_architecture(table.String("architecture", 64));
    } else if (kind == "rollout") {
      ReadRollout(table, *rule.mutable_rollout());
    } else {
      ReadInstalledUpdate(table, *rule.mutable_installed_update());
    }
    table.Finish();
  }

  template <typename R>
  static void Assign(VersionTest test, R& rule) {
    rule.set_comparison(test.comparison);
    rule.set_version(std::move(test.version));
  }

  static void ReadOperatingSystem(TomlTable& table,
                                  repository::v1::OperatingSystemRule& rule) {
    rule.set_family(table.String("family", 64));
    if (!rule.family().empty() && rule.family() != "linux" &&
        rule.family() != "windows") {
      table.Fault("family", "must be \"linux\" or \"windows\"");
    }
    rule.set_distribution(table.String("distribution", 64));
    Assign(ReadVersionTest(table, "version"), rule);
  }

  static void ReadFileRule(TomlTable& table, repository::v1::FileRule& rule) {
    rule.set_path(table.RequiredString("path"));
    Assign(ReadVersionTest(table, "version"), rule);
    if (const std::string hex = table.String("sha256", 64); !hex.empty()) {
      const auto digest = ParseSha256Hex(hex);
      if (!digest.ok()) {
        table.Fault("sha256", "must be 64 hexadecimal digits");
      } else {
        rule.set_sha256(digest->data(), digest->size());
      }
    }
  }

  static void ReadRegistry(TomlTable& table,
                           repository::v1::RegistryRule& rule) {
    rule.set_key(table.RequiredString("key"));
    if (!rule.key().empty() && !IsRegistryKey(rule.key())) {
      table.Fault("key",
                  "must be a key below HKLM\\ or HKCU\\ of at most 1024 bytes");
    }
    rule.set_value(table.String("value", 1024));
    VersionTest test = ReadVersionTest(table, "data");
    rule.set_comparison(test.comparison);
    rule.set_data(std::move(test.version));
  }

  static void ReadMsiProduct(TomlTable& table,
                             repository::v1::MsiProductRule& rule) {
    rule.set_product_code(ReadMsiCode(table, "product_code"));
    rule.set_upgrade_code(ReadMsiCode(table, "upgrade_code"));
    if (table.Has("product_code") == table.Has("upgrade_code")) {
      table.Fault("product_code",
                  "give exactly one of product_code and upgrade_code");
    }
    Assign(ReadVersionTest(table, "version"), rule);
  }

  static std::string ReadMsiCode(TomlTable& table, absl::string_view key) {
    if (!table.Has(key)) return "";
    std::string code = CanonicalMsiCode(table.RequiredString(key, 64));
    if (code.empty()) {
      table.Fault(key, "must be a UUID in braces, as msiinfo prints it");
    }
    return code;
  }

  static void ReadInstalledUpdate(TomlTable& table,
                                  repository::v1::InstalledUpdateRule& rule) {
    const std::string id = table.String("update_id", 64);
    if (!id.empty()) {
      const auto uuid = CanonicalUuid(id);
      if (!uuid.ok()) {
        table.Fault("update_id", "must be a UUID");
      } else {
        rule.set_update_id(*uuid);
      }
    }
    const VersionTest test = ReadVersionTest(table, "revision");
    if (test.comparison == repository::v1::COMPARISON_EXISTS) return;
    rule.set_comparison(test.comparison);
    int32_t revision = 0;
    if (!absl::SimpleAtoi(test.version, &revision) || revision < 1) {
      table.Fault("revision",
                  "must be a number of 1 or more after the operator");
    }
    rule.set_revision_number(revision);
  }

  static void ReadRollout(TomlTable& table, repository::v1::RolloutRule& rule) {
    if (!table.Has("percent")) table.Fault("percent", "is missing");
    rule.set_basis_points(ReadPercent(table, "percent").value_or(0));
    rule.set_seed(table.String("seed", 128));
  }

  TomlProblems& problems_;
};

}  // namespace

Rule ReadRule(const toml::table& table, const std::string& path,
              TomlProblems& problems) {
  Rule rule = RuleReader(problems).Read(table, path, 1);
  return rule;
}

absl::optional<int> ReadPercent(TomlTable& table, absl::string_view key) {
  const absl::optional<double> percent = table.Number(key);
  if (!percent.has_value()) return absl::nullopt;
  const absl::optional<int> basis_points = BasisPointsOf(*percent);
  if (!basis_points.has_value()) {
    table.Fault(key, "must be from 0 to 100, in steps of 0.01");
  }
  return basis_points;
}

std::vector<std::string> ReadChannels(TomlTable& table, absl::string_view key) {
  std::vector<std::string> channels = table.Strings(key, catalog::kMaxChannels);
  if (channels.empty()) table.Fault(key, "names no channel");
  for (const std::string& name : channels) {
    if (catalog::IsChannelName(name)) continue;
    table.Fault(key, absl::StrCat("\"", name,
                                  "\" is no name of a channel: lower-case "
                                  "letters, digits, '.', '_' and '-', a letter "
                                  "or digit first, at most 64 bytes"));
  }
  return channels;
}

}  // namespace usher::publisher
