#include "client/internal/objects.h"

#include <set>
#include <string>

namespace usher::internal {

grpc::Status SearcherTraits::Create(const Link& link,
                                    grpc::ClientContext* context,
                                    const Message& wanted,
                                    const std::set<std::string>& paths,
                                    Message* response) {
  v1::CreateSearcherRequest request;
  request.set_parent(link.session);
  *request.mutable_searcher() = wanted;
  request.mutable_searcher()->clear_name();
  for (const std::string& path : paths) {
    request.mutable_update_mask()->add_paths(path);
  }
  return link.searchers->CreateSearcher(context, request, response);
}

grpc::Status SearcherTraits::Read(const Link& link,
                                  grpc::ClientContext* context,
                                  const std::string& name, Message* response) {
  v1::GetSearcherRequest request;
  request.set_name(name);
  return link.searchers->GetSearcher(context, request, response);
}

grpc::Status SearcherTraits::Write(const Link& link,
                                   grpc::ClientContext* context,
                                   const Message& changed,
                                   const std::string& path, Message* response) {
  v1::UpdateSearcherRequest request;
  *request.mutable_searcher() = changed;
  request.mutable_update_mask()->add_paths(path);
  return link.searchers->UpdateSearcher(context, request, response);
}

void SearcherTraits::Delete(const Link& link, grpc::ClientContext* context,
                            const std::string& name) {
  v1::DeleteSearcherRequest request;
  request.set_name(name);
  google::protobuf::Empty response;
  link.searchers->DeleteSearcher(context, request, &response);
}

grpc::Status DownloaderTraits::Create(const Link& link,
                                      grpc::ClientContext* context,
                                      const Message& wanted,
                                      const std::set<std::string>& paths,
                                      Message* response) {
  v1::CreateDownloaderRequest request;
  request.set_parent(link.session);
  *request.mutable_downloader() = wanted;
  request.mutable_downloader()->clear_name();
  for (const std::string& path : paths) {
    request.mutable_update_mask()->add_paths(path);
  }
  return link.downloaders->CreateDownloader(context, request, response);
}

grpc::Status DownloaderTraits::Read(const Link& link,
                                    grpc::ClientContext* context,
                                    const std::string& name,
                                    Message* response) {
  v1::GetDownloaderRequest request;
  request.set_name(name);
  return link.downloaders->GetDownloader(context, request, response);
}

grpc::Status DownloaderTraits::Write(const Link& link,
                                     grpc::ClientContext* context,
                                     const Message& changed,
                                     const std::string& path,
                                     Message* response) {
  v1::UpdateDownloaderRequest request;
  *request.mutable_downloader() = changed;
  request.mutable_update_mask()->add_paths(path);
  return link.downloaders->UpdateDownloader(context, request, response);
}

void DownloaderTraits::Delete(const Link& link, grpc::ClientContext* context,
                              const std::string& name) {
  v1::DeleteDownloaderRequest request;
  request.set_name(name);
  google::protobuf::Empty response;
  link.downloaders->DeleteDownloader(context, request, &response);
}

grpc::Status InstallerTraits::Create(const Link& link,
                                     grpc::ClientContext* context,
                                     const Message& wanted,
                                     const std::set<std::string>& paths,
                                     Message* response) {
  v1::CreateInstallerRequest request;
  request.set_parent(link.session);
  *request.mutable_installer() = wanted;
  request.mutable_installer()->clear_name();
  for (const std::string& path : paths) {
    request.mutable_update_mask()->add_paths(path);
  }
  return link.installers->CreateInstaller(context, request, response);
}

grpc::Status InstallerTraits::Read(const Link& link,
                                   grpc::ClientContext* context,
                                   const std::string& name, Message* response) {
  v1::GetInstallerRequest request;
  request.set_name(name);
  return link.installers->GetInstaller(context, request, response);
}

grpc::Status InstallerTraits::Write(const Link& link,
                                    grpc::ClientContext* context,
                                    const Message& changed,
                                    const std::string& path,
                                    Message* response) {
  v1::UpdateInstallerRequest request;
  *request.mutable_installer() = changed;
  request.mutable_update_mask()->add_paths(path);
  return link.installers->UpdateInstaller(context, request, response);
}

void InstallerTraits::Delete(const Link& link, grpc::ClientContext* context,
                             const std::string& name) {
  v1::DeleteInstallerRequest request;
  request.set_name(name);
  google::protobuf::Empty response;
  link.installers->DeleteInstaller(context, request, &response);
}

}  // namespace usher::internal
