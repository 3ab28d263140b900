// Debian 12 has no PKCS#11 provider for OpenSSL 3, only the engine; OpenSSL
// marks every call to an engine as deprecated. They are all in this file.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ui.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "publisher/token_key.h"

namespace usher::publisher {
namespace {

constexpr char kEngineId[] = "pkcs11";

// Everything in OpenSSL's queue of this thread, which is emptied.
std::string TakeErrors() {
  std::string errors;
  for (auto code = ERR_get_error(); code != 0; code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    if (reason != nullptr) {
      absl::StrAppend(&errors, errors.empty() ? "" : ", ", reason);
    }
  }
  return errors;
}

// Answers the engine's questions with the PIN that is its user data; the engine
// would ask at the terminal, in its own words.
int GivePin(UI* ui, UI_STRING* question) {
  const auto* pin = static_cast<const std::string*>(UI_get0_user_data(ui));
  if (UI_get_string_type(question) != UIT_PROMPT) return 1;
  if (pin == nullptr || pin->empty()) return 0;
  return UI_set_result(ui, question, pin->c_str()) == 0 ? 1 : 0;
}

// For good: the engine remembers it.
UI_METHOD* PinMethod() {
  static UI_METHOD* const method = [] {
    UI_METHOD* made = UI_create_method("usher: the PIN that was given");
    UI_method_set_reader(made, GivePin);
    return made;
  }();
  return method;
}

// The engine in use. When the last key has gone it lets the token go: left to
// the end of the process it would call a module that is gone already.
class Engine {
 public:
  // `module`: see Pkcs11Uri::module_path.
  static absl::StatusOr<std::shared_ptr<Engine>> Get(
      const std::string& module) {
    static std::weak_ptr<Engine> current;
    // The engine keeps it for good once it was told.
    static auto* const first_module = new std::string(module);
    if (*first_module != module) {
      return Error(hr::kEInvalidarg,
                   "keys that are used together must be named with the same "
                   "module-path, or all without one");
    }
    if (std::shared_ptr<Engine> engine = current.lock()) return engine;
    ENGINE_load_builtin_engines();
    ENGINE* engine = ENGINE_by_id(kEngineId);
    if (engine == nullptr) {
      ERR_clear_error();
      return Error(hr::kEInvalidarg,
                   "OpenSSL's engine \"pkcs11\", which reaches keys in tokens, "
                   "is not installed; on Debian: sudo apt install "
                   "libengine-pkcs11-openssl");
    }
    // It writes of every failure to standard error; ours say the same.
    ENGINE_ctrl_cmd_string(engine, "QUIET", nullptr, 0);
    if ((!module.empty() && ENGINE_ctrl_cmd_string(engine, "MODULE_PATH",
                                                   module.c_str(), 0) != 1) ||
        ENGINE_init(engine) != 1) {
      ENGINE_free(engine);
      return Error(hr::kEInvalidarg,
                   absl::StrCat("OpenSSL's engine \"pkcs11\" does not start: ",
                                TakeErrors()));
    }
    std::shared_ptr<Engine> made(new Engine(engine));
    // Some keys want the PIN again for each signature.
    ENGINE_ctrl_cmd(engine, "SET_USER_INTERFACE", 0, PinMethod(), nullptr, 0);
    ENGINE_ctrl_cmd(engine, "SET_CALLBACK_DATA", 0, &made->pin_, nullptr, 0);
    current = made;
    return made;
  }

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine() {
    ENGINE_ctrl_cmd(engine_, "SET_CALLBACK_DATA", 0, nullptr, nullptr, 0);
    ENGINE_finish(engine_);
    ENGINE_free(engine_);
  }

  EVP_PKEY* Load(const std::string& name, const std::string& pin) {
    pin_ = pin;
    if (!pin.empty()) {
      ENGINE_ctrl_cmd_string(engine_, "PIN", pin.c_str(), 0);
    }
    return ENGINE_load_private_key(engine_, name.c_str(), PinMethod(), &pin_);
  }

 private:
  explicit Engine(ENGINE* engine) : engine_(engine) {}
  ENGINE* const engine_;
  std::string pin_;  // of the key that was loaded last
};

absl::Status NotLoaded(const Pkcs11Uri& uri, bool with_pin) {
  const std::string errors = TakeErrors();
  const std::string lower = absl::AsciiStrToLower(errors);
  std::string reason;
  if (absl::StrContains(lower, "pin incorrect") ||
      absl::StrContains(lower, "pin invalid") ||
      absl::StrContains(lower, "pin len")) {
    reason = "the PIN is wrong; a token locks itself after a few wrong ones";
  } else if (absl::StrContains(lower, "pin locked")) {
    reason = "the token has locked itself after too many wrong PINs";
  } else if (absl::StrContains(lower, "unable to load")) {
    reason = absl::StrCat(
        "the token's PKCS#11 module does not load (", errors, "); check ",
        uri.module_path.empty() ? "PKCS11_MODULE_PATH, or what "
                                  "p11-kit is configured to use"
                                : uri.module_path);
  } else if (!with_pin) {
    reason =
        "no such key can be seen without a PIN; put pin-source=FILE into the "
        "URI, set USHER_PKCS11_PIN, or be at a terminal";
  } else {
    reason = absl::StrCat(
        "no such key (", errors.empty() ? "no reason given" : errors,
        "); \"p11-kit list-modules\" shows the tokens that are found, "
        "\"pkcs11-tool --module M --login -O\" the keys in them; an ed25519 "
        "key hides the others in its token");
  }
  return Error(hr::kEInvalidarg, absl::StrCat(uri.name, ": ", reason),
               uri.name);
}

}  // namespace

absl::StatusOr<tuf::PrivateKey> LoadTokenKey(const Pkcs11Uri& uri,
                                             absl::string_view pin) {
  absl::StatusOr<std::shared_ptr<Engine>> engine = Engine::Get(uri.module_path);
  if (!engine.ok()) return Annotate(engine.status(), uri.name);
  EVP_PKEY* raw = (*engine)->Load(uri.name, std::string(pin));
  if (raw == nullptr) return NotLoaded(uri, !pin.empty());
  ERR_clear_error();
  // The key goes before the engine.
  std::shared_ptr<EVP_PKEY> key(
      raw, [engine = *std::move(engine)](EVP_PKEY* k) { EVP_PKEY_free(k); });
  auto made = tuf::PrivateKey::FromOpenSsl(std::move(key));
  if (!made.ok()) return Annotate(made.status(), uri.name);
  return made;
}

}  // namespace usher::publisher
