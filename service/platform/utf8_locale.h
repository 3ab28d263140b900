#ifndef USHER_SERVICE_PLATFORM_UTF8_LOCALE_H_
#define USHER_SERVICE_PLATFORM_UTF8_LOCALE_H_

#include <memory>
#include <string>

namespace usher::platform {

// While it lives, libraries that convert text by the C locale take this
// thread's text as UTF-8, whatever locale the service was started in. Made and
// destroyed on one thread. Platform twins: utf8_locale_posix.cc,
// utf8_locale_win.cc.
class Utf8Locale {
 public:
  Utf8Locale();
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  ~Utf8Locale();

  // False where there is no such locale (Windows): then the libraries' own
  // functions for UTF-8 must be used.
  bool takes_utf8() const;

  // Text of the wide kind in UTF-8, where that is the kind in which libraries
  // keep text; elsewhere "".
  static std::string FromWide(const wchar_t* text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_UTF8_LOCALE_H_
