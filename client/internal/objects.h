#ifndef USHER_CLIENT_INTERNAL_OBJECTS_H_
#define USHER_CLIENT_INTERNAL_OBJECTS_H_

// The three kinds of RemoteObject.

#include <memory>
#include <set>
#include <string>

#include "client/internal/remote_object.h"
#include "usher/update.h"

namespace usher::internal {

// The program's own update objects, whose keys the message holds.
class UpdateList {
 public:
  UpdateCollection updates() const {
    absl::MutexLock lock(&mutex_);
    return updates_;
  }
  void set_updates(const UpdateCollection& updates) {
    absl::MutexLock lock(&mutex_);
    updates_ = UpdateCollection(updates.Copy());
  }

 private:
  mutable absl::Mutex mutex_;
  UpdateCollection updates_ ABSL_GUARDED_BY(mutex_);
};

struct SearcherTraits {
  using Message = v1::Searcher;
  static grpc::Status Create(const Link& link, grpc::ClientContext* context,
                             const Message& wanted,
                             const std::set<std::string>& paths,
                             Message* response);
  static grpc::Status Read(const Link& link, grpc::ClientContext* context,
                           const std::string& name, Message* response);
  static grpc::Status Write(const Link& link, grpc::ClientContext* context,
                            const Message& changed, const std::string& path,
                            Message* response);
  static void Delete(const Link& link, grpc::ClientContext* context,
                     const std::string& name);
};

class SearcherObject : public RemoteObject<SearcherTraits> {
 public:
  using RemoteObject::RemoteObject;
};

struct DownloaderTraits {
  using Message = v1::Downloader;
  static grpc::Status Create(const Link& link, grpc::ClientContext* context,
                             const Message& wanted,
                             const std::set<std::string>& paths,
                             Message* response);
  static grpc::Status Read(const Link& link, grpc::ClientContext* context,
                           const std::string& name, Message* response);
  static grpc::Status Write(const Link& link, grpc::ClientContext* context,
                            const Message& changed, const std::string& path,
                            Message* response);
  static void Delete(const Link& link, grpc::ClientContext* context,
                     const std::string& name);
};

class DownloaderObject : public RemoteObject<DownloaderTraits>,
                         public UpdateList {
 public:
  using RemoteObject::RemoteObject;
};

struct InstallerTraits {
  using Message = v1::Installer;
  static grpc::Status Create(const Link& link, grpc::ClientContext* context,
                             const Message& wanted,
                             const std::set<std::string>& paths,
                             Message* response);
  static grpc::Status Read(const Link& link, grpc::ClientContext* context,
                           const std::string& name, Message* response);
  static grpc::Status Write(const Link& link, grpc::ClientContext* context,
                            const Message& changed, const std::string& path,
                            Message* response);
  static void Delete(const Link& link, grpc::ClientContext* context,
                     const std::string& name);
};

class InstallerObject : public RemoteObject<InstallerTraits>,
                        public UpdateList {
 public:
  using RemoteObject::RemoteObject;
};

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_OBJECTS_H_
