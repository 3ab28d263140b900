#include "common/win32.h"
#include "service/platform/utf8_locale.h"

namespace usher::platform {

// The C runtime that Windows brings along (msvcrt.dll) has no UTF-8 locale.
struct Utf8Locale::State {};

Utf8Locale::Utf8Locale() = default;
Utf8Locale::~Utf8Locale() = default;
bool Utf8Locale::takes_utf8() const { return false; }

std::string Utf8Locale::FromWide(const wchar_t* text) {
  return win32::ToUtf8(text);
}

}  // namespace usher::platform
