// Downloads and installs updates by name, with progress.
//
//   install_updates NAME...
//
// Needs an administrator. Ends with 0 when all are installed, 1 after an error
// and 2 when some update failed.

#include <iostream>
#include <string>

#include "usher/usher.h"

namespace {

int Fail(const absl::Status& status) {
  std::cerr << "install_updates: " << status.message() << " ("
            << usher::FormatHResult(usher::HResultOf(status)) << ")\n";
  return 1;
}

// The updates of these names that are not installed.
absl::StatusOr<usher::UpdateCollection> Find(
    const usher::UpdateSession& session, int count, char** names) {
  absl::StatusOr<usher::UpdateSearcher> searcher =
      session.CreateUpdateSearcher();
  if (!searcher.ok()) return searcher.status();
  usher::UpdateCollection chosen;
  for (int i = 0; i < count; ++i) {
    // `text` keeps updates whose name or title contains the name.
    usher::SearchOptions options;
    options.text = names[i];
    absl::StatusOr<usher::SearchResult> result =
        searcher->Search("IsInstalled=0", options);
    if (!result.ok()) return result.status();
    for (const usher::Update& update : result->Updates()) {
      if (update.Name() != names[i]) continue;
      if (absl::Status added = chosen.Add(update).status(); !added.ok()) {
        return added;
      }
    }
  }
  return chosen;
}

}  // namespace

int main(int argc, char** argv) {
  usher::SessionOptions options;
  // With the user, this is the session's key: should this program be killed in
  // the middle, opening the same id again finds its jobs (Jobs(), FindJob()).
  options.client_application_id = "install-updates-example";
  absl::StatusOr<usher::UpdateSession> session =
      usher::UpdateSession::Open(options);
  if (!session.ok()) return Fail(session.status());

  absl::StatusOr<usher::UpdateCollection> updates =
      Find(*session, argc - 1, argv + 1);
  if (!updates.ok()) return Fail(updates.status());
  if (updates->empty()) {
    std::cout << "Nothing to install.\n";
    return 0;
  }
  for (const usher::Update& update : *updates) {
    // A real program shows EulaText() to somebody first.
    if (update.LastKnownState().eula_accepted) continue;
    if (absl::Status status = update.AcceptEula(); !status.ok()) {
      return Fail(status);
    }
  }

  absl::StatusOr<usher::UpdateDownloader> downloader =
      session->CreateUpdateDownloader();
  if (!downloader.ok()) return Fail(downloader.status());
  if (absl::Status status = downloader->SetUpdates(*updates); !status.ok()) {
    return Fail(status);
  }
  // Callbacks run on a thread of the session.
  absl::StatusOr<usher::DownloadJob> download = downloader->BeginDownload(
      [](const usher::DownloadJob&, const usher::DownloadProgress& now) {
        std::cout << "downloaded " << now.total_bytes_downloaded << " of "
                  << now.total_bytes_to_download << " bytes\n";
      },
      /*completed=*/{});
  if (!download.ok()) return Fail(download.status());
  const absl::StatusOr<usher::DownloadResult> downloaded =
      downloader->EndDownload(*download);  // waits
  if (!downloaded.ok()) return Fail(downloaded.status());

  absl::StatusOr<usher::UpdateInstaller> installer =
      session->CreateUpdateInstaller();
  if (!installer.ok()) return Fail(installer.status());
  if (absl::Status status = installer->SetUpdates(*updates); !status.ok()) {
    return Fail(status);
  }
  absl::StatusOr<usher::InstallationJob> installation = installer->BeginInstall(
      [](const usher::InstallationJob&,
         const usher::InstallationProgress& now) {
        std::cout << "installed " << now.percent_complete << " %\n";
      },
      /*completed=*/{});
  if (!installation.ok()) return Fail(installation.status());
  const absl::StatusOr<usher::InstallationResult> installed =
      installer->EndInstall(*installation);
  if (!installed.ok()) return Fail(installed.status());

  // An update that fails is a result, not an error; result i is update i's.
  int index = 0;
  for (const usher::UpdateResult& result : installed->update_results) {
    std::cout << updates->Item(index++)->Name() << ": "
              << usher::ToString(result.result_code) << ' ' << result.message
              << '\n';
  }
  if (installed->reboot_required) std::cout << "A restart is required.\n";
  return installed->result_code == usher::OperationResultCode::kSucceeded ? 0
                                                                          : 2;
}
