// Lists what could be installed, one line for each update.
//
//   list_updates [CRITERIA]
//
// The service is the machine's own, or the one that USHER_ADDRESS names.
// Listing needs no rights. Ends with 0, or 1 after an error.

#include <iostream>
#include <string>

#include "usher/usher.h"

namespace {

int Fail(const absl::Status& status) {
  std::cerr << "list_updates: " << status.message() << " ("
            << usher::FormatHResult(usher::HResultOf(status)) << ")\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  usher::SessionOptions options;
  options.client_application_id = "list-updates-example";
  absl::StatusOr<usher::UpdateSession> session =
      usher::UpdateSession::Open(options);
  if (!session.ok()) return Fail(session.status());

  absl::StatusOr<usher::UpdateSearcher> searcher =
      session->CreateUpdateSearcher();
  if (!searcher.ok()) return Fail(searcher.status());

  // SearchEach hands over one update after the other and keeps none: this
  // lists a catalog of any size. Search() would return them all at once.
  const std::string criteria =
      argc > 1 ? argv[1] : "IsInstalled=0 and IsHidden=0";
  const absl::StatusOr<usher::SearchSummary> summary =
      searcher->SearchEach(criteria, [](const usher::Update& update) {
        std::cout << update.Name() << '\t' << update.Version() << '\t'
                  << update.Identity().update_id << '\t' << update.Title()
                  << '\n';
        return true;  // go on
      });
  if (!summary.ok()) return Fail(summary.status());
  std::cerr << summary->update_count << " updates\n";
  return 0;
}
