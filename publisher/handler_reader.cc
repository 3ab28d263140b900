#include "publisher/handler_reader.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/hresult.h"
#include "common/windows_names.h"

namespace usher::publisher {
namespace {

using repository::v1::ExitCode;

void ReadArchive(TomlTable& table, repository::v1::ArchiveHandler& handler) {
  handler.set_product(table.RequiredString("product", 128));
  handler.set_version(table.RequiredString("version", 128));
  handler.set_strip_components(
      static_cast<int32_t>(table.Integer("strip_components", 0, 64, 0)));
  handler.set_max_unpacked_size(
      table.Integer("max_unpacked_size", 0, int64_t{1} << 40, 0));
}

void ReadExitCode(TomlTable table, ExitCode& code) {
  static constexpr TomlWord kMeanings[] = {
      {"success", ExitCode::MEANING_SUCCESS},
      {"success_reboot_required", ExitCode::MEANING_SUCCESS_REBOOT_REQUIRED},
      {"failure", ExitCode::MEANING_FAILURE},
      {"already_installed", ExitCode::MEANING_ALREADY_INSTALLED},
  };
  if (!table.Has("code")) table.Fault("code", "is missing");
  if (!table.Has("meaning")) table.Fault("meaning", "is missing");
  code.set_code(static_cast<int32_t>(
      table.Integer("code", std::numeric_limits<int32_t>::min(),
                    std::numeric_limits<int32_t>::max(), 0)));
  code.set_meaning(static_cast<ExitCode::Meaning>(
      table.Word("meaning", kMeanings, ExitCode::MEANING_UNSPECIFIED)));
  const int64_t hresult =
      table.Integer("hresult", 0, std::numeric_limits<uint32_t>::max(), 0);
  if (hresult != 0 && !Failed(static_cast<HResult>(hresult))) {
    table.Fault("hresult", "must be a failure code (0x8…)");
  }
  code.set_hresult(static_cast<uint32_t>(hresult));
  table.Finish();
}

void ReadExec(TomlTable& table, repository::v1::ExecHandler& handler) {
  handler.set_program(table.String("program", 255));
  for (std::string& argument : table.Strings("arguments")) {
    handler.add_arguments(std::move(argument));
  }
  handler.set_uninstall_program(table.String("uninstall_program", 255));
  for (std::string& argument : table.Strings("uninstall_arguments")) {
    handler.add_uninstall_arguments(std::move(argument));
  }
  int index = 0;
  for (const toml::table* entry : table.Tables("exit_codes")) {
    ReadExitCode(
        TomlTable(*entry,
                  absl::StrCat(table.PathOf("exit_codes"), "[", index, "]"),
                  table.problems()),
        *handler.add_exit_codes());
    ++index;
  }
  handler.set_timeout_seconds(
      static_cast<int32_t>(table.Integer("timeout_seconds", 0, 86400, 0)));
}

void ReadMsi(TomlTable& table, repository::v1::MsiHandler& handler) {
  const std::string code = table.RequiredString("product_code", 64);
  handler.set_product_code(CanonicalMsiCode(code));
  if (!code.empty() && handler.product_code().empty()) {
    table.Fault("product_code", "must be a UUID in braces");
  }
  const toml::table* properties = table.Table("properties");
  if (properties == nullptr) return;
  TomlTable reader(*properties, table.PathOf("properties"), table.problems());
  for (const auto& [key, node] : *properties) {
    const std::string name(key.str());
    (*handler.mutable_properties())[name] = reader.String(name);
  }
}

}  // namespace

repository::v1::Handler ReadHandler(TomlTable& table) {
  repository::v1::Handler handler;
  const toml::table* outer = table.Table("handler");
  if (outer == nullptr) return handler;
  TomlTable kinds(*outer, table.PathOf("handler"), table.problems());
  if (outer->size() != 1) {
    table.Fault("handler",
                "has exactly one of archive, exec, deb and msi, for example "
                "[handler.archive]");
    return handler;
  }
  const std::string kind(outer->begin()->first.str());
  if (kind != "archive" && kind != "exec" && kind != "deb" && kind != "msi") {
    kinds.Fault(kind, "unknown handler; known: archive, exec, deb, msi");
    return handler;
  }
  const toml::table* body = kinds.Table(kind);
  if (body == nullptr) return handler;
  TomlTable reader(*body, kinds.PathOf(kind), table.problems());
  if (kind == "archive") {
    ReadArchive(reader, *handler.mutable_archive());
  } else if (kind == "exec") {
    ReadExec(reader, *handler.mutable_exec());
  } else if (kind == "deb") {
    handler.mutable_deb();
    for (std::string& package : reader.Strings("packages")) {
      handler.mutable_deb()->add_packages(std::move(package));
    }
  } else {
    ReadMsi(reader, *handler.mutable_msi());
  }
  reader.Finish();
  return handler;
}

}  // namespace usher::publisher
