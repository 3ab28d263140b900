// Lists in pages, and other answers that end before they are too large.

#include <google/protobuf/empty.pb.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/session/job_api.h"
#include "service/session/machine_api.h"
#include "service/session/page.h"
#include "service/session/search_job.h"
#include "service/session/searcher_api.h"
#include "service/session/session_api.h"
#include "spdlog/spdlog.h"
#include "tests/unit/session/calls.h"
#include "tests/unit/session/fakes.h"
#include "usher/v1/searcher.pb.h"
#include "usher/v1/session.pb.h"
#include "usher/v1/update_service.pb.h"
#include "usher/v1/update_state.pb.h"

namespace usher::session {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using usher::testing::CallOf;
using usher::testing::Download;
using usher::testing::Keys;
using usher::testing::OpenName;
using usher::testing::UpdateId;
using usher::testing::WaitFor;
using usher::testing::World;

constexpr size_t kMessageLimit = size_t{4} * 1024 * 1024;

const Call kRoot = CallOf("uid:0", true);
const Call kAlice = CallOf("uid:1001");

// The names on each page of a session's jobs. `between` runs after each page.
std::vector<std::vector<std::string>> JobPages(
    World& world, const std::string& session, int page_size,
    const std::function<void(const std::vector<std::string>&)>& between = {}) {
  v1::ListJobsRequest request;
  request.set_parent(session);
  request.set_page_size(page_size);
  std::vector<std::vector<std::string>> pages;
  do {
    v1::ListJobsResponse response;
    const absl::Status status =
        ListJobs(world.core(), kRoot, request, response);
    EXPECT_TRUE(status.ok()) << status;
    if (!status.ok()) break;
    EXPECT_LT(response.ByteSizeLong(), kMessageLimit / 4);
    std::vector<std::string>& names = pages.emplace_back();
    for (const v1::Job& job : response.jobs()) names.push_back(job.name());
    request.set_page_token(response.next_page_token());
    if (between) between(names);
  } while (!request.page_token().empty());
  return pages;
}

TEST(ListsTest, JobsComeInPages) {
  World world;
  const std::string session = OpenName(world, kRoot);
  EXPECT_THAT(JobPages(world, session, 2),
              ElementsAre(std::vector<std::string>()));
  std::vector<std::string> names;
  for (int n = 0; n < 5; ++n) {
    world.catalog->Add(n);
    names.push_back(*Download(world, session, {n}));
    world.clock->Advance(absl::Seconds(1));
  }
  EXPECT_THAT(
      JobPages(world, session, 2),
      ElementsAre(ElementsAre(names[0], names[1]),
                  ElementsAre(names[2], names[3]), ElementsAre(names[4])));
  // All there is, if it fits; the last page has no next one.
  EXPECT_THAT(JobPages(world, session, 5),
              ElementsAre(ElementsAreArray(names)));
  EXPECT_THAT(JobPages(world, session, 0),
              ElementsAre(ElementsAreArray(names)));
  EXPECT_THAT(JobPages(world, session, 2'000'000'000),
              ElementsAre(ElementsAreArray(names)));
}

TEST(ListsTest, WhatGoesMeanwhileHidesNothingElse) {
  World world;
  const std::string session = OpenName(world, kRoot);
  std::vector<std::string> names;
  for (int n = 0; n < 6; ++n) {
    world.catalog->Add(n);
    world.catalog->entries[n].state.is_installed = true;  // is done at once
    names.push_back(*Download(world, session, {n}));
    WaitFor(world, names.back());
    world.clock->Advance(absl::Seconds(1));
  }
  // Each page's jobs go before the next page is read.
  const auto pages =
      JobPages(world, session, 2, [&](const std::vector<std::string>& told) {
        for (const std::string& name : told) {
          ASSERT_TRUE(
              CleanUp(world.core(), *FindJob(world.core(), kRoot, name)).ok());
        }
      });
  EXPECT_THAT(pages, ElementsAre(ElementsAre(names[0], names[1]),
                                 ElementsAre(names[2], names[3]),
                                 ElementsAre(names[4], names[5])));
}

TEST(ListsTest, APageEndsBeforeItIsTooLarge) {
  CoreOptions options;
  options.limits.updates_per_job = 2000;
  World world(options);
  const std::string session = OpenName(world, kRoot);
  std::vector<int> updates;
  for (int n = 0; n < 2000; ++n) {
    updates.push_back(n);
    world.catalog->Add(n);
    world.catalog->entries[n].state.is_installed = true;
  }
  const spdlog::level::level_enum level = spdlog::get_level();
  spdlog::set_level(spdlog::level::off);  // thousands of lines help nobody
  std::vector<std::string> names;
  for (int i = 0; i < 8; ++i) {
    names.push_back(*Download(world, session, updates));
    WaitFor(world, names.back());
    world.clock->Advance(absl::Seconds(1));
  }
  spdlog::set_level(level);
  std::vector<std::string> told;
  const auto pages = JobPages(world, session, 0);
  EXPECT_GT(pages.size(), 3U);
  for (const auto& page : pages) {
    EXPECT_FALSE(page.empty());
    told.insert(told.end(), page.begin(), page.end());
  }
  EXPECT_EQ(told, names);
}

TEST(ListsTest, BadPagesAreArguments) {
  World world;
  const std::string session = OpenName(world, kRoot);
  v1::ListJobsRequest request;
  request.set_parent(session);
  request.set_page_size(-1);
  v1::ListJobsResponse response;
  absl::Status status = ListJobs(world.core(), kRoot, request, response);
  EXPECT_EQ(HResultOf(status), hr::kEInvalidarg);
  EXPECT_EQ(SubjectOf(status), "page_size");
  request.set_page_size(0);
  for (const std::string& token :
       {std::string("x"), std::string("1"), std::string("1."),
        std::string("x.y"), std::string("1.2.3"), std::string("1.a/b"),
        "1." + std::string(100, 'a'), std::string(1'000'000, '9')}) {
    request.set_page_token(token);
    status = ListJobs(world.core(), kRoot, request, response);
    EXPECT_EQ(HResultOf(status), hr::kEInvalidarg) << token.substr(0, 20);
    EXPECT_EQ(SubjectOf(status), "page_token");
  }
  // Of the right form, and behind everything.
  request.set_page_token(PageToken({INT64_MAX, "a"}));
  ASSERT_TRUE(ListJobs(world.core(), kRoot, request, response).ok());
  EXPECT_EQ(response.jobs_size(), 0);
  EXPECT_EQ(response.next_page_token(), "");
}

TEST(ListsTest, SessionsComeInPages) {
  World world;
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) {
    v1::OpenSessionRequest open;
    open.set_client_application_id(absl::StrCat(i));
    v1::OpenSessionResponse opened;
    // An administrator sees both users' on the same pages.
    ASSERT_TRUE(
        OpenSession(world.core(), i % 2 == 0 ? kAlice : kRoot, open, opened)
            .ok());
    names.push_back(opened.session().name());
    world.clock->Advance(absl::Seconds(1));
  }
  v1::ListSessionsRequest request;
  request.set_all_callers(true);
  request.set_page_size(2);
  v1::ListSessionsResponse first;
  ASSERT_TRUE(ListSessions(world.core(), kRoot, request, first).ok());
  ASSERT_EQ(first.sessions_size(), 2);
  // The one where the next page begins goes meanwhile.
  v1::CloseSessionRequest close;
  close.set_name(names[1]);
  google::protobuf::Empty empty;
  ASSERT_TRUE(CloseSession(world.core(), kRoot, close, empty).ok());
  request.set_page_token(first.next_page_token());
  v1::ListSessionsResponse second;
  ASSERT_TRUE(ListSessions(world.core(), kRoot, request, second).ok());
  ASSERT_EQ(second.sessions_size(), 2);
  EXPECT_EQ(second.sessions(0).name(), names[2]);
  EXPECT_EQ(second.sessions(1).name(), names[3]);
  request.set_page_token(second.next_page_token());
  v1::ListSessionsResponse third;
  ASSERT_TRUE(ListSessions(world.core(), kRoot, request, third).ok());
  ASSERT_EQ(third.sessions_size(), 1);
  EXPECT_EQ(third.next_page_token(), "");
  // Somebody else's place leads only to one's own.
  request.set_all_callers(false);
  request.set_page_token(first.next_page_token());
  v1::ListSessionsResponse hers;
  ASSERT_TRUE(ListSessions(world.core(), kAlice, request, hers).ok());
  for (const v1::Session& session : hers.sessions()) {
    EXPECT_EQ(session.owner(), "uid:1001");
  }
}

TEST(ListsTest, ServicesComeInPages) {
  World world;
  std::vector<std::string> ids;
  for (int i = 1; i <= 4; ++i) {
    ids.push_back(absl::StrCat(i, "1111111-1111-4111-8111-111111111111"));
    world.repositories->service_id = ids.back();
    NewService service;
    service.url = absl::StrCat("http://test/", i);
    service.root = "root";
    ASSERT_TRUE(
        world.core().services().Add(service, {}, CancellationToken()).ok());
    world.clock->Advance(absl::Seconds(1));
  }
  v1::ListUpdateServicesRequest request;
  request.set_page_size(2);
  v1::ListUpdateServicesResponse first;
  ASSERT_TRUE(ListUpdateServices(world.core(), kAlice, request, first).ok());
  ASSERT_EQ(first.services_size(), 2);
  EXPECT_EQ(first.services(0).service_id(), ids[0]);
  EXPECT_EQ(first.services(1).service_id(), ids[1]);
  // What was told goes, the one where the next page begins included.
  ASSERT_TRUE(world.core().services().Remove(ids[0]).ok());
  ASSERT_TRUE(world.core().services().Remove(ids[1]).ok());
  request.set_page_token(first.next_page_token());
  v1::ListUpdateServicesResponse second;
  ASSERT_TRUE(ListUpdateServices(world.core(), kAlice, request, second).ok());
  ASSERT_EQ(second.services_size(), 2);
  EXPECT_EQ(second.services(0).service_id(), ids[2]);
  EXPECT_EQ(second.services(1).service_id(), ids[3]);
  EXPECT_EQ(second.next_page_token(), "");
}

// --- answers that are no lists ---

v1::BatchGetUpdatesRequest Batch(World& world,
                                 const std::vector<int>& updates) {
  v1::BatchGetUpdatesRequest request;
  request.set_session(OpenName(world, kAlice));
  *request.mutable_keys() = Keys(updates);
  return request;
}

TEST(BatchTest, ReadsWhatFitsAndNamesTheRest) {
  World world;
  std::vector<int> updates;
  for (int n = 0; n < 9; ++n) {
    updates.push_back(n);
    world.catalog->Add(n);
    world.catalog->entries[n].update.set_description(
        std::string(size_t{200} * 1024, 'x'));
  }
  // One that is larger than an answer should be comes alone.
  world.catalog->entries[4].update.set_description(
      std::string(size_t{2} * 1024 * 1024, 'x'));
  v1::BatchGetUpdatesRequest request = Batch(world, updates);
  std::vector<std::string> read;
  int answers = 0;
  while (request.keys_size() > 0) {
    v1::BatchGetUpdatesResponse response;
    ASSERT_TRUE(BatchGetUpdates(world.core(), kAlice, request, response,
                                CancellationToken())
                    .ok());
    ++answers;
    ASSERT_GT(response.updates_size(), 0);
    EXPECT_LT(response.ByteSizeLong(), kMessageLimit);
    ASSERT_EQ(response.updates_size() + response.unread_keys_size(),
              request.keys_size());
    for (const v1::Update& update : response.updates()) {
      read.push_back(update.identity().update_id());
    }
    *request.mutable_keys() = response.unread_keys();
  }
  std::vector<std::string> wanted;
  wanted.reserve(updates.size());
  for (const int n : updates) wanted.push_back(UpdateId(n));
  EXPECT_EQ(read, wanted);
  EXPECT_EQ(answers, 5);  // 2, 2, the large one, 2, 2
}

TEST(BatchTest, TheSameKeyManyTimesIsNotReadIntoMemoryManyTimes) {
  World world;
  world.catalog->Add(1);
  world.catalog->entries[1].update.set_description(
      std::string(size_t{1} * 1024 * 1024, 'x'));
  v1::BatchGetUpdatesResponse response;
  ASSERT_TRUE(BatchGetUpdates(world.core(), kAlice,
                              Batch(world, std::vector<int>(256, 1)), response,
                              CancellationToken())
                  .ok());
  EXPECT_EQ(response.updates_size(), 1);
  EXPECT_EQ(response.unread_keys_size(), 255);
  EXPECT_EQ(SubjectOf(BatchGetUpdates(world.core(), kAlice,
                                      Batch(world, std::vector<int>(257, 1)),
                                      response, CancellationToken())),
            "keys");
}

TEST(BatchTest, AnUnknownKeyFailsTheCallWhateverFits) {
  World world;
  for (int n = 0; n < 3; ++n) {
    world.catalog->Add(n);
    world.catalog->entries[n].update.set_description(
        std::string(size_t{400} * 1024, 'x'));
  }
  v1::BatchGetUpdatesResponse response;
  const absl::Status status =
      BatchGetUpdates(world.core(), kAlice, Batch(world, {0, 1, 2, 7}),
                      response, CancellationToken());
  EXPECT_EQ(HResultOf(status), hr::kWuEDsNodataNosuchrevision);
  EXPECT_EQ(SubjectOf(status), UpdateId(7));
  EXPECT_EQ(response.updates_size(), 0);
}

std::vector<v1::Category> LargeCategories(int count) {
  std::vector<v1::Category> categories(count);
  for (int i = 0; i < count; ++i) {
    categories[i].set_category_id(UpdateId(i));
    categories[i].set_description(std::string(size_t{64} * 1024, 'x'));
  }
  return categories;
}

TEST(BatchTest, CategoriesAreBounded) {
  World world;
  world.catalog->Add(1);
  world.catalog->categories = LargeCategories(100);  // 6.4 MB
  v1::BatchGetUpdatesResponse response;
  ASSERT_TRUE(BatchGetUpdates(world.core(), kAlice, Batch(world, {1}), response,
                              CancellationToken())
                  .ok());
  EXPECT_EQ(response.updates_size(), 1);
  EXPECT_GT(response.categories_size(), 0);
  EXPECT_LT(response.ByteSizeLong(), kMessageLimit / 4);
  EXPECT_EQ(response.categories(0).category_id(), UpdateId(0));
}

TEST(SearchTest, CategoriesComeInChunksBehindTheUpdates) {
  World world;
  world.AddService();
  for (int n = 0; n < 10; ++n) world.catalog->Add(n);
  world.catalog->categories = LargeCategories(100);  // 6.4 MB
  v1::CreateSearcherRequest create;
  create.set_parent(OpenName(world, kRoot));
  v1::Searcher searcher;
  ASSERT_TRUE(CreateSearcher(world.core(), kRoot, create, searcher).ok());
  v1::SearchRequest request;
  request.set_searcher(searcher.name());
  const auto search = StartSearch(world.core(), kRoot, request);
  ASSERT_TRUE(search.ok());
  WaitFor(search->job);
  SearchReader reader(world.core(), search->job);
  int updates = 0;
  std::vector<std::string> categories;
  for (;;) {
    std::vector<std::string> messages;
    ASSERT_TRUE(reader.Next(messages).ok());
    if (messages.empty()) break;
    for (const std::string& message : messages) {
      EXPECT_LT(message.size(), size_t{512} * 1024);
      v1::SearchResponse response;
      ASSERT_TRUE(response.ParseFromString(message));
      updates += response.chunk().updates_size();
      for (const v1::Category& category : response.chunk().categories()) {
        EXPECT_EQ(updates, 10);  // all of them came before
        categories.push_back(category.category_id());
      }
    }
  }
  ASSERT_EQ(categories.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(categories[i], UpdateId(i));
  v1::SearchResponse last;
  ASSERT_TRUE(reader.Summary(last).ok());
  EXPECT_EQ(last.summary().update_count(), 10);
  EXPECT_LT(last.ByteSizeLong(), size_t{1024});
}

}  // namespace
}  // namespace usher::session
