// What only a named pipe has.

// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <aclapi.h>
#include <sddl.h>
#include <winternl.h>
// clang-format on

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/error.h"
#include "common/transport/peer_win.h"
#include "common/transport/transport.h"
#include "common/win32.h"
#include "tests/unit/transport/echo_service.h"
#include "tests/unit/transport/raw_client.h"

namespace usher::transport {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The handles of this process.
size_t OwnHandles() {
  DWORD count = 0;
  EXPECT_NE(GetProcessHandleCount(GetCurrentProcess(), &count), 0);
  if (count > 0) return count;
  // Wine 8 leaves that at nought, and tells of every process's handles.
  const auto query = reinterpret_cast<decltype(&NtQuerySystemInformation)>(
      reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"ntdll.dll"),
                                             "NtQuerySystemInformation")));
  std::vector<ULONG64> buffer(size_t{1} << 17);
  ULONG size = 0;
  if (query(SystemHandleInformation, buffer.data(),
            static_cast<ULONG>(buffer.size() * sizeof(ULONG64)), &size) < 0) {
    return 0;
  }
  const auto* const all =
      reinterpret_cast<const SYSTEM_HANDLE_INFORMATION*>(buffer.data());
  size_t own = 0;
  for (ULONG i = 0; i < all->Count; ++i) {
    if (all->Handle[i].OwnerPid == GetCurrentProcessId()) ++own;
  }
  return own;
}

std::string TextOf(PSID sid) {
  LPWSTR text = nullptr;
  EXPECT_NE(ConvertSidToStringSidW(sid, &text), 0);
  std::string utf8 = win32::ToUtf8(text);
  LocalFree(text);
  return utf8;
}

// Whose a pipe of this process is to be.
std::string ExpectedOwner() {
  std::array<char, SECURITY_MAX_SID_SIZE> administrators;
  DWORD size = administrators.size();
  BOOL is_administrator = FALSE;
  EXPECT_NE(CreateWellKnownSid(WinBuiltinAdministratorsSid, nullptr,
                               administrators.data(), &size),
            0);
  EXPECT_NE(
      CheckTokenMembership(nullptr, administrators.data(), &is_administrator),
      0);
  return is_administrator != FALSE ? TextOf(administrators.data())
                                   : win32::OwnSid();
}

class PipeTest : public ::testing::Test {
 protected:
  PipeTest() { options_.address = NewAddress(); }

  // An end of a pipe at our address as another program makes it. `security` in
  // the system's text form; empty: the default. `ends` is how many there may
  // be. Not open if that fails.
  win32::Handle Squat(const std::string& security = "",
                      DWORD ends = PIPE_UNLIMITED_INSTANCES) {
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    if (!security.empty() &&
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            win32::ToWide(security).c_str(), SDDL_REVISION_1, &descriptor,
            nullptr) == 0) {
      return win32::Handle();
    }
    SECURITY_ATTRIBUTES attributes{sizeof(attributes), descriptor, FALSE};
    win32::Handle pipe(CreateNamedPipeW(
        win32::ToWide(options_.address).c_str(),
        PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE | PIPE_WAIT,
        ends, 4096, 4096, 0, &attributes));
    const DWORD error = GetLastError();
    if (descriptor != nullptr) LocalFree(descriptor);
    SetLastError(error);
    return pipe;
  }

  absl::Status DialStatus() const {
    DialOptions dial;
    dial.address = options_.address;
    return Dial(dial, grpc::ChannelArguments()).status();
  }

  // Connects one client of each kind, which all go again.
  void LetClientsVanish() {
    for (const char* said : {"", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "junk"}) {
      const auto client = RawClient::Connect(options_.address);
      ASSERT_NE(client, nullptr);
      EXPECT_TRUE(client->Send(said));
    }
    const auto channel = DialEcho(options_.address);
    ASSERT_NE(channel, nullptr);
    EXPECT_TRUE(Echoes(channel, "hello"));
  }

  ListenOptions options_;
};

TEST_F(PipeTest, OnlyAPipeOfThisMachineIsAnAddress) {
  for (const std::string& address :
       {std::string(R"(\\server\pipe\Usher)"), std::string(R"(\\.\pipe\)"),
        std::string(R"(\\.\pipe\a\b)"), std::string(R"(C:\Usher)"),
        std::string(R"(\\.\pipe\../UNC/server/pipe/Usher)"),
        std::string(R"(\\.\pipe\..)"),
        absl::StrCat(R"(\\.\pipe\)", std::string(241, 'x')),
        std::string("\\\\.\\pipe\\a\0b", 12)}) {
    options_.address = address;
    EXPECT_EQ(HResultOf(Listener::Listen(options_).status()), hr::kEInvalidarg)
        << address;
    EXPECT_EQ(HResultOf(DialStatus()), hr::kEInvalidarg) << address;
  }
}

TEST_F(PipeTest, ANameThatIsTakenIsRefusedWithTheOneWhoHasIt) {
  const win32::Handle squatter = Squat();
  ASSERT_TRUE(squatter.open());
  const absl::Status status = Listener::Listen(options_).status();
  EXPECT_EQ(HResultOf(status), hr::kWuEOperationinprogress);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(absl::StrCat("process ", GetCurrentProcessId(), " (")));
  EXPECT_THAT(std::string(status.message()), HasSubstr(options_.address));
}

TEST_F(PipeTest, ANameWhoseOnlyEndIsBusyIsTakenToo) {
  const win32::Handle squatter = Squat("", /*ends=*/1);
  ASSERT_TRUE(squatter.open());
  const auto client = RawClient::Connect(options_.address);
  ASSERT_NE(client, nullptr);
  const absl::Status status = Listener::Listen(options_).status();
  EXPECT_EQ(HResultOf(status), hr::kWuEOperationinprogress) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(absl::StrCat("another program serves ",
                                     options_.address, " already")));
}

TEST_F(PipeTest, DialRefusesAServerThatIsSomebodyElse) {
  // A user of no machine's. Windows lets nobody make a thing of somebody
  // else's without a privilege, Wine does.
  const win32::Handle squatter = Squat("O:S-1-5-21-1-2-3-1001D:(A;;GA;;;WD)");
  if (!squatter.open() && GetLastError() == ERROR_INVALID_OWNER) {
    GTEST_SKIP() << "the system lets nobody pretend";
  }
  ASSERT_TRUE(squatter.open());
  const absl::Status status = DialStatus();
  EXPECT_EQ(HResultOf(status), hr::kEAccessdenied) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("belongs to S-1-5-21-1-2-3-1001"));
  // It has learnt nothing.
  DWORD available = 0;
  EXPECT_TRUE(PeekNamedPipe(squatter.get(), nullptr, 0, nullptr, &available,
                            nullptr) == 0 ||
              available == 0);
}

TEST_F(PipeTest, ThePipesSecuritySaysWhoMayConnect) {
  for (const bool world : {true, false}) {
    options_.world_accessible = world;
    auto listener = *Listener::Listen(options_);
    const win32::Handle end(CreateFileW(win32::ToWide(options_.address).c_str(),
                                        READ_CONTROL, 0, nullptr, OPEN_EXISTING,
                                        FILE_FLAG_OVERLAPPED, nullptr));
    ASSERT_TRUE(end.open()) << GetLastError();
    PSID owner = nullptr;
    PACL list = nullptr;
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    ASSERT_EQ(
        GetSecurityInfo(end.get(), SE_KERNEL_OBJECT,
                        OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                        &owner, nullptr, &list, nullptr, &descriptor),
        DWORD{ERROR_SUCCESS});
    // What clients look at before they say a word.
    ASSERT_NE(owner, nullptr);
    EXPECT_EQ(TextOf(owner), ExpectedOwner());
    LPWSTR wide = nullptr;
    ASSERT_NE(ConvertSecurityDescriptorToStringSecurityDescriptorW(
                  descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &wide,
                  nullptr),
              0);
    const std::string text = win32::ToUtf8(wide);
    LocalFree(wide);
    LocalFree(descriptor);
    // All but FILE_CREATE_PIPE_INSTANCE (4) of reading and writing.
    EXPECT_EQ(text.find("(A;;0x12019b;;;AU)") != std::string::npos, world)
        << text;
    EXPECT_THAT(text, Not(AnyOf(HasSubstr(";WD)"), HasSubstr(";AN)"))));
    // Nothing for the user's programs that are not elevated, if this one is.
    EXPECT_EQ(text.find(win32::OwnSid()) != std::string::npos,
              ExpectedOwner() == win32::OwnSid())
        << text;
    EXPECT_THAT(text, HasSubstr(";SY)"));
    EXPECT_THAT(text, HasSubstr(";BA)"));
  }
}

// What tells a pipe that an earlier service has left from an impostor's.
TEST_F(PipeTest, APipesSecuritySaysWhoCanHaveOfferedIt) {
  const auto check = [this](const std::string& security) {
    options_.address = NewAddress();
    const win32::Handle pipe = Squat(security);
    // Windows lets nobody make a thing of somebody else's; Wine does.
    if (!pipe.open() && GetLastError() == ERROR_INVALID_OWNER) {
      return hr::kEAccessdenied;
    }
    EXPECT_TRUE(pipe.open()) << security;
    return HResultOf(CheckSecurity(pipe.get(), options_.address));
  };
  const std::string own = absl::StrCat("O:", ExpectedOwner());
  EXPECT_EQ(check(own + "D:P(A;;GA;;;SY)(A;;GA;;;BA)"), hr::kSOk);
  EXPECT_EQ(check(own + "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x12019b;;;AU)"),
            hr::kSOk);
  EXPECT_EQ(check(own + "D:P(D;;GA;;;AN)(A;;GA;;;BA)"), hr::kSOk);
  // FILE_CREATE_PIPE_INSTANCE, and rights to take it.
  EXPECT_EQ(check(own + "D:P(A;;GA;;;BA)(A;;0x12019f;;;AU)"),
            hr::kEAccessdenied);
  EXPECT_EQ(check(own + "D:P(A;;GA;;;BA)(A;;WD;;;AU)"), hr::kEAccessdenied);
  EXPECT_EQ(check(own + "D:P(A;;GA;;;BA)(A;;WO;;;AU)"), hr::kEAccessdenied);
  EXPECT_EQ(check(own + "D:P(A;;GA;;;BA)(A;;GA;;;WD)"), hr::kEAccessdenied);
  EXPECT_EQ(check("O:S-1-5-21-1-2-3-1001D:P(A;;GA;;;BA)"), hr::kEAccessdenied);
}

TEST_F(PipeTest, ClientsThatVanishLeaveNoHandle) {
  EchoServer server;
  auto listener = *Listener::Listen(options_);
  ASSERT_TRUE(listener->Start(server.Acceptor()).ok());
  // What is made once and kept: threads above all.
  for (int i = 0; i < 10; ++i) LetClientsVanish();
  const size_t before = OwnHandles();
  ASSERT_GT(before, 0U);
  constexpr size_t kRounds = 50;
  for (size_t i = 0; i < kRounds; ++i) LetClientsVanish();
  // Threads come and go; a handle lost with each round would be seen.
  constexpr size_t kThreads = kRounds / 2;
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  size_t after = OwnHandles();
  while (after > before + kThreads && absl::Now() < deadline) {
    std::this_thread::yield();
    after = OwnHandles();
  }
  EXPECT_LE(after, before + kThreads);
  RecordProperty("handles_before", static_cast<int>(before));
  RecordProperty("handles_after", static_cast<int>(after));
}

}  // namespace
}  // namespace usher::transport
