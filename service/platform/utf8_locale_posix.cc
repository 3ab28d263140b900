#include <locale.h>  // NOLINT(modernize-deprecated-headers): POSIX functions

#include "service/platform/utf8_locale.h"

namespace usher::platform {

struct Utf8Locale::State {
  // Every glibc since 2.35 has it built in; without it the locale stays.
  locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  locale_t before = nullptr;
};

Utf8Locale::Utf8Locale() : state_(std::make_unique<State>()) {
  if (state_->utf8 != nullptr) state_->before = uselocale(state_->utf8);
}

Utf8Locale::~Utf8Locale() {
  if (state_->utf8 == nullptr) return;
  uselocale(state_->before);
  freelocale(state_->utf8);
}

bool Utf8Locale::takes_utf8() const { return true; }

std::string Utf8Locale::FromWide(const wchar_t* /*text*/) { return ""; }

}  // namespace usher::platform
