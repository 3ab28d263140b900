// A client of the SDK whose downloads go through a proxy with a password.
//
// usage: usher_proxy_client PROXY USER PASSWORD NAME…
//
// Says "ready" when its session has the proxy. Then downloads one update after
// the other, each when a line comes on stdin, and says how it ended: the
// HRESULT of the update, or of the call that failed.

#include <iostream>
#include <string>

#include "absl/status/statusor.h"
#include "common/error.h"
#include "usher/usher.h"

namespace usher {
namespace {

absl::StatusOr<HResult> Download(const UpdateSession& session,
                                 const std::string& name) {
  USHER_ASSIGN_OR_RETURN(const UpdateSearcher searcher,
                         session.CreateUpdateSearcher());
  SearchOptions options;
  options.text = name;
  USHER_ASSIGN_OR_RETURN(const SearchResult found,
                         searcher.Search("", options));
  USHER_ASSIGN_OR_RETURN(UpdateDownloader downloader,
                         session.CreateUpdateDownloader());
  USHER_RETURN_IF_ERROR(downloader.SetUpdates(found.Updates()));
  USHER_ASSIGN_OR_RETURN(const DownloadResult result, downloader.Download());
  USHER_ASSIGN_OR_RETURN(const UpdateResult first,
                         result.update_results.Item(0));
  return first.hresult;
}

int Main(int argc, char** argv) {
  SessionOptions options;
  options.client_application_id = "proxy-client";
  absl::StatusOr<UpdateSession> session = UpdateSession::Open(options);
  if (!session.ok()) {
    std::cerr << session.status() << "\n";
    return 1;
  }
  WebProxy proxy;
  proxy.auto_detect = false;
  proxy.address = argv[1];
  proxy.user_name = argv[2];
  proxy.password = argv[3];
  if (const absl::Status status = session->SetWebProxy(proxy); !status.ok()) {
    std::cerr << status << "\n";
    return 1;
  }
  std::cout << "ready" << std::endl;
  std::string line;
  for (int i = 4; i < argc && std::getline(std::cin, line); ++i) {
    const absl::StatusOr<HResult> result = Download(*session, argv[i]);
    if (!result.ok()) std::cerr << result.status() << "\n";
    std::cout << FormatHResult(result.ok() ? *result
                                           : HResultOf(result.status()))
              << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace usher

int main(int argc, char** argv) {
  if (argc < 5) {
    std::cerr << "usage: usher_proxy_client PROXY USER PASSWORD NAME…\n";
    return 2;
  }
  return usher::Main(argc, argv);
}
