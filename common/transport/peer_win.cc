#include "common/transport/peer_win.h"

// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <aclapi.h>
#include <sddl.h>
// clang-format on

#include <array>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/error.h"
#include "common/win32.h"

namespace usher::transport {
namespace {

constexpr absl::string_view kPipePrefix = R"(\\.\pipe\)";
constexpr size_t kMaxName = 240;  // the system takes 256 with the prefix

// What a client needs: FILE_GENERIC_READ and FILE_GENERIC_WRITE without
// FILE_CREATE_PIPE_INSTANCE. The system leaves that bit out when it checks a
// client, so that GENERIC_WRITE works for clients too.
constexpr DWORD kClientRights =
    (FILE_GENERIC_READ | FILE_GENERIC_WRITE) & ~DWORD{FILE_APPEND_DATA};

// A SID, self-contained.
class Sid {
 public:
  // `sid` is copied.
  explicit Sid(PSID sid) {
    const DWORD size = GetLengthSid(sid);
    bytes_.resize(size);
    CopySid(size, bytes_.data(), sid);
  }

  static Sid WellKnown(WELL_KNOWN_SID_TYPE type) {
    std::array<char, SECURITY_MAX_SID_SIZE> buffer;
    DWORD size = buffer.size();
    // Only a type that the system does not know can fail.
    if (CreateWellKnownSid(type, nullptr, buffer.data(), &size) == 0) {
      std::abort();
    }
    return Sid(buffer.data());
  }

  PSID get() const { return const_cast<char*>(bytes_.data()); }
  bool operator==(const Sid& other) const {
    return EqualSid(get(), other.get()) != 0;
  }

  std::string ToText() const {
    LPWSTR text = nullptr;
    if (ConvertSidToStringSidW(get(), &text) == 0) return "";
    std::string utf8 = win32::ToUtf8(text);
    LocalFree(text);
    return utf8;
  }

 private:
  std::vector<char> bytes_;
};

const Sid& System() {
  static const auto* const sid = new Sid(Sid::WellKnown(WinLocalSystemSid));
  return *sid;
}

const Sid& Administrators() {
  static const auto* const sid =
      new Sid(Sid::WellKnown(WinBuiltinAdministratorsSid));
  return *sid;
}

absl::StatusOr<Sid> TokenUserOf(HANDLE token) {
  alignas(TOKEN_USER)
      std::array<char, sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE>
          buffer;
  DWORD size = 0;
  if (GetTokenInformation(token, TokenUser, buffer.data(), buffer.size(),
                          &size) == 0) {
    return win32::LastError("read the user of", "a token");
  }
  return Sid(reinterpret_cast<const TOKEN_USER*>(buffer.data())->User.Sid);
}

// Whether a group is in an impersonation token, and enabled: an administrator
// without elevation has the group for denials only.
bool HasGroup(HANDLE token, const Sid& group) {
  BOOL member = FALSE;
  return CheckTokenMembership(token, group.get(), &member) != 0 &&
         member != FALSE;
}

struct TokenFacts {
  Sid user;
  bool elevated;  // SYSTEM, or Administrators enabled
};

absl::StatusOr<TokenFacts> ReadToken(HANDLE impersonation) {
  USHER_ASSIGN_OR_RETURN(Sid user, TokenUserOf(impersonation));
  const bool elevated =
      user == System() || HasGroup(impersonation, Administrators());
  return TokenFacts{std::move(user), elevated};
}

absl::StatusOr<TokenFacts> ReadProcessToken(HANDLE process) {
  HANDLE raw = nullptr;
  if (OpenProcessToken(process, TOKEN_QUERY | TOKEN_DUPLICATE, &raw) == 0) {
    return win32::LastError("open the token of", "a process");
  }
  const win32::Handle token(raw);
  if (DuplicateToken(token.get(), SecurityIdentification, &raw) == 0) {
    return win32::LastError("copy the token of", "a process");
  }
  const win32::Handle copy(raw);
  return ReadToken(copy.get());
}

absl::StatusOr<TokenFacts> ReadOwnToken() {
  return ReadProcessToken(GetCurrentProcess());
}

absl::StatusOr<Sid> GroupSid(const std::string& name) {
  std::array<char, SECURITY_MAX_SID_SIZE> sid;
  DWORD sid_size = sid.size();
  std::array<wchar_t, 256> domain;
  DWORD domain_size = domain.size();
  SID_NAME_USE use{};
  if (LookupAccountNameW(nullptr, win32::ToWide(name).c_str(), sid.data(),
                         &sid_size, domain.data(), &domain_size, &use) == 0) {
    const DWORD error = GetLastError();
    if (error != ERROR_NONE_MAPPED) {
      return win32::SystemError(error, "look up group", name);
    }
    use = SidTypeUnknown;
  }
  if (use != SidTypeGroup && use != SidTypeAlias &&
      use != SidTypeWellKnownGroup) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat("there is no group named \"", name,
                              "\" on this machine; make it or name another"),
                 name);
  }
  return Sid(sid.data());
}

class TokenPeerReader : public PeerReader {
 public:
  TokenPeerReader(TokenFacts own, absl::optional<Sid> group)
      : own_(std::move(own)), group_(std::move(group)) {}

  absl::StatusOr<absl::optional<PeerIdentity>> Read(void* pipe) const override {
    USHER_ASSIGN_OR_RETURN(const win32::Handle token, ClientToken(pipe));
    if (!token.open()) return absl::optional<PeerIdentity>();
    USHER_ASSIGN_OR_RETURN(const TokenFacts facts, ReadToken(token.get()));
    PeerIdentity peer;
    peer.user = facts.user.ToText();
    if (peer.user.empty()) return win32::LastError("name", "a client");
    // A service without elevation can do no more than its user, so that user
    // is an administrator of it: a private instance obeys the one who started
    // it. One with elevation must not lend it to the same user's other
    // programs.
    peer.is_administrator =
        facts.elevated || (!own_.elevated && facts.user == own_.user) ||
        (group_.has_value() && HasGroup(token.get(), *group_));
    peer.credentials =
        absl::StrCat(peer.user, peer.is_administrator ? " administrator" : "");
    ULONG process = 0;
    if (GetNamedPipeClientProcessId(pipe, &process) != 0) {
      peer.process_id = process;
    }
    // The number alone would not do (Read).
    peer.is_self = facts.user == own_.user && facts.elevated == own_.elevated &&
                   process == GetCurrentProcessId();
    return absl::optional<PeerIdentity>(std::move(peer));
  }

 private:
  // The client's impersonation token; none as long as there is none.
  static absl::StatusOr<win32::Handle> ClientToken(void* pipe) {
    if (ImpersonateNamedPipeClient(pipe) == 0) {
      const DWORD error = GetLastError();
      if (error == ERROR_CANNOT_IMPERSONATE) return win32::Handle();
      return win32::SystemError(error, "identify", "a client");
    }
    HANDLE raw = nullptr;
    // As the service, not as the client, which may lack the right.
    const BOOL opened = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY,
                                        /*OpenAsSelf=*/TRUE, &raw);
    const DWORD error = GetLastError();
    // Going on as somebody else would be worse than not going on.
    if (RevertToSelf() == 0) std::abort();
    if (opened == 0) {
      // An anonymous client, above all.
      return win32::SystemError(error, "open the token of", "a client");
    }
    return win32::Handle(raw);
  }

  const TokenFacts own_;
  const absl::optional<Sid> group_;
};

absl::Status RefuseServer(const std::string& address,
                          absl::string_view reason) {
  return WithAdvice(
      Error(hr::kEAccessdenied,
            absl::StrCat("the service at ", address, " ", reason,
                         ", neither the system's, an administrator's nor "
                         "yours; nothing was sent"),
            address),
      "somebody took the service's place: the event log names the program if "
      "the service has tried to start; end it, then start the service");
}

}  // namespace

absl::StatusOr<std::unique_ptr<PeerReader>> PeerReader::Make(
    const std::string& administrators_group) {
  USHER_ASSIGN_OR_RETURN(TokenFacts own, ReadOwnToken());
  absl::optional<Sid> group;
  if (!administrators_group.empty()) {
    USHER_ASSIGN_OR_RETURN(group, GroupSid(administrators_group));
  }
  return std::make_unique<TokenPeerReader>(std::move(own), std::move(group));
}

absl::Status CheckServer(void* pipe, const std::string& address) {
  USHER_ASSIGN_OR_RETURN(const TokenFacts own, ReadOwnToken());
  const auto trusted = [&own](const Sid& sid) {
    return sid == System() || sid == Administrators() || sid == own.user;
  };
  PSID owner = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const DWORD error =
      GetSecurityInfo(pipe, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION,
                      &owner, nullptr, nullptr, nullptr, &descriptor);
  if (error != ERROR_SUCCESS) {
    return win32::SystemError(error, "read the owner of", address);
  }
  const auto freeing =
      absl::MakeCleanup([descriptor] { LocalFree(descriptor); });
  if (owner == nullptr) return RefuseServer(address, "has no owner");
  if (const Sid sid(owner); !trusted(sid)) {
    return RefuseServer(address, absl::StrCat("belongs to ", sid.ToText()));
  }
  ULONG id = 0;
  if (GetNamedPipeServerProcessId(pipe, &id) == 0) return absl::OkStatus();
  const win32::Handle process(
      OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id));
  // A process that the caller may not look at is more privileged than it.
  if (!process.open()) return absl::OkStatus();
  const absl::StatusOr<TokenFacts> server = ReadProcessToken(process.get());
  if (!server.ok() || server->elevated || trusted(server->user)) {
    return absl::OkStatus();
  }
  return RefuseServer(address, absl::StrCat("runs as ", server->user.ToText()));
}

std::string DescribeServer(const std::wstring& address) {
  const win32::Handle pipe(CreateFileW(
      address.c_str(), FILE_READ_ATTRIBUTES | READ_CONTROL, 0, nullptr,
      OPEN_EXISTING,
      FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS,
      nullptr));
  ULONG id = 0;
  if (!pipe.open() || GetNamedPipeServerProcessId(pipe.get(), &id) == 0) {
    return "";
  }
  const win32::Handle process(
      OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id));
  std::array<wchar_t, 1024> image;
  DWORD size = image.size();
  if (!process.open() ||
      QueryFullProcessImageNameW(process.get(), 0, image.data(), &size) == 0) {
    return absl::StrCat("process ", id);
  }
  return absl::StrCat("process ", id, " (",
                      win32::ToUtf8(std::wstring_view(image.data(), size)),
                      ")");
}

absl::StatusOr<PipeSecurity> MakePipeSecurity(bool world_accessible) {
  USHER_ASSIGN_OR_RETURN(const TokenFacts own, ReadOwnToken());
  const std::string user = own.user.ToText();
  // The owner is what clients check (CheckServer), so it is not left to the
  // policy that says whom an administrator's things belong to.
  // Nor does a service with elevation lend its pipe to the same user's programs
  // without it.
  const std::string text = absl::StrCat(
      "O:", own.elevated ? "BA" : user, "D:P(A;;GA;;;SY)(A;;GA;;;BA)",
      own.elevated ? "" : absl::StrCat("(A;;GA;;;", user, ")"),
      world_accessible
          ? absl::StrCat("(A;;0x", absl::Hex(kClientRights), ";;;AU)")
          : "");
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (ConvertStringSecurityDescriptorToSecurityDescriptorW(
          win32::ToWide(text).c_str(), SDDL_REVISION_1, &descriptor, nullptr) ==
      0) {
    return win32::LastError("make the security of", "a pipe");
  }
  return PipeSecurity(descriptor, [](void* memory) { LocalFree(memory); });
}

absl::Status CheckSecurity(void* pipe, const std::string& address) {
  USHER_ASSIGN_OR_RETURN(const TokenFacts own, ReadOwnToken());
  const auto trusted = [&own](PSID sid) {
    return Sid(sid) == System() || Sid(sid) == Administrators() ||
           (!own.elevated && Sid(sid) == own.user);
  };
  const auto refused = [&address](absl::string_view why) {
    return Error(hr::kEAccessdenied,
                 absl::StrCat("the pipe ", address, " ", why), address);
  };
  PSID owner = nullptr;
  PACL list = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const DWORD error =
      GetSecurityInfo(pipe, SE_KERNEL_OBJECT,
                      OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                      &owner, nullptr, &list, nullptr, &descriptor);
  if (error != ERROR_SUCCESS) {
    return win32::SystemError(error, "read the security of", address);
  }
  const auto freeing =
      absl::MakeCleanup([descriptor] { LocalFree(descriptor); });
  if (owner == nullptr || !trusted(owner)) {
    return refused("was made by somebody else");
  }
  if (list == nullptr) return refused("is open to everybody");
  for (DWORD i = 0; i < list->AceCount; ++i) {
    void* entry = nullptr;
    if (GetAce(list, i, &entry) == 0) {
      return win32::LastError("read the security of", address);
    }
    const auto* const header = static_cast<const ACE_HEADER*>(entry);
    if (header->AceType == ACCESS_DENIED_ACE_TYPE) continue;
    if (header->AceType != ACCESS_ALLOWED_ACE_TYPE) {
      return refused("has a kind of access that is not known");
    }
    auto* const allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
    if ((allowed->Mask & ~kClientRights) != 0 && !trusted(&allowed->SidStart)) {
      return refused("lets somebody else offer an end");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::wstring> PipeAddress(const std::string& address) {
  const absl::string_view text = address;
  if (!absl::StartsWithIgnoreCase(text, kPipePrefix)) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat("a pipe's name must begin with ", kPipePrefix),
                 address);
  }
  const absl::string_view name = text.substr(kPipePrefix.size());
  // The system takes a slash for a backslash and resolves ".." even here: what
  // has one may be another machine's pipe, or a file.
  if (name.empty() || name.size() > kMaxName || name == "." || name == ".." ||
      name.find_first_of(absl::string_view("\\/\0", 3)) !=
          absl::string_view::npos) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat("a pipe's name must have 1 to ", kMaxName,
                              " bytes behind ", kPipePrefix,
                              ", and neither backslash nor slash"),
                 address);
  }
  return win32::ToWide(address);
}

}  // namespace usher::transport
