#include "publisher/key_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/file_io.h"
#include "publisher/key_import.h"
#include "tests/unit/publisher/test_repository.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Message(const absl::Status& status) {
  return std::string(status.message());
}

TEST(KeyRingTest, AFileWithAUriStandsForAKeyInAToken) {
  const TestFolder folder;
  EXPECT_EQ(KeyPath(folder.path(), "root"), folder.path() / "root.pem");
  const fs::path uri = folder.Write("root.uri", "pkcs11:token=none\n");
  EXPECT_EQ(KeyPath(folder.path(), "root"), uri);
  PassphraseSource passphrases({}, false);
  const absl::Status status = LoadKey(uri, passphrases).status();
  EXPECT_EQ(HResultOf(status), hr::kEInvalidarg);
  EXPECT_THAT(Message(status), HasSubstr(PathToUtf8(uri)));
  EXPECT_THAT(Message(status), HasSubstr("names no key"));
  // A PEM file goes first.
  const fs::path pem = folder.Write("root.pem", "");
  EXPECT_EQ(KeyPath(folder.path(), "root"), pem);
}

TEST(KeyRingTest, AUriMayStandInPlaceOfAFile) {
  PassphraseSource passphrases({}, false);
  const fs::path uri = PathFromUtf8("pkcs11:token=none?pin-value=9876");
  EXPECT_EQ(KeyName(uri), "pkcs11:token=none");
  EXPECT_EQ(KeyName("a?b.pem"), "a?b.pem");
  const absl::Status status = LoadKey(uri, passphrases).status();
  EXPECT_THAT(Message(status), HasSubstr("names no key"));
  EXPECT_THAT(Message(status), Not(HasSubstr("9876")));
  EXPECT_THAT(Message(LoadPublicKey(uri, passphrases).status()),
              HasSubstr("names no key"));
  EXPECT_THAT(Message(CreateKey(uri, "ed25519", "").status()),
              HasSubstr("pkcs11-tool"));
}

TEST(KeyRingTest, ThePinComesFromTheUriOrAFileBesideIt) {
  const TestFolder folder;
  folder.Write("pin", "1234\nnot this\n");
  folder.Write("empty", "\n");
  PassphraseSource passphrases({}, false);
  const auto pin = [&](const std::string& query) {
    return passphrases.ForToken(
        ParsePkcs11Uri("pkcs11:token=t;object=o?" + query).value(),
        folder.path());
  };
  EXPECT_EQ(pin("pin-value=42").value(), "42");
  EXPECT_EQ(pin("pin-source=pin").value(), "1234");
  const std::string absolute = PathToUtf8(folder.path() / "pin");
  EXPECT_EQ(pin("pin-source=" + absolute).value(), "1234");
  EXPECT_EQ(pin("pin-source=file:" + absolute).value(), "1234");
  EXPECT_EQ(pin("pin-source=file://" + absolute).value(), "1234");
  EXPECT_THAT(Message(pin("pin-source=empty").status()), HasSubstr("PIN file"));
  EXPECT_EQ(HResultOf(pin("pin-source=nothing").status()),
            HResultOf(ReadFile(folder.path() / "nothing", 1).status()));
}

// Keys of different passphrases, as of different people.
class PassphraseTest : public ::testing::Test {
 protected:
  PassphraseTest() {
    for (const char* word : {"one", "two", "three"}) {
      EXPECT_TRUE(CreateKey(Key(word), "ed25519", word).ok());
    }
    passphrases_.set_asker(
        [this](absl::string_view prompt) -> absl::StatusOr<std::string> {
          asked_.emplace_back(prompt);
          if (answers_.empty()) return Error(hr::kWuENoInteractiveUser, "none");
          std::string answer = answers_.front();
          answers_.erase(answers_.begin());
          return answer;
        });
  }
  fs::path Key(const std::string& name) const {
    return folder_.path() / (name + ".pem");
  }
  const TestFolder folder_;
  PassphraseSource passphrases_{{}, false, "USHER_NO_SUCH_VARIABLE"};
  std::vector<std::string> answers_;
  std::vector<std::string> asked_;
};

TEST_F(PassphraseTest, EachKeyIsAskedForThatNoAnswerOpens) {
  answers_ = {"one", "two"};
  ASSERT_TRUE(LoadKey(Key("one"), passphrases_).ok());
  ASSERT_TRUE(LoadKey(Key("two"), passphrases_).ok());
  // Both are remembered.
  ASSERT_TRUE(LoadKey(Key("one"), passphrases_).ok());
  ASSERT_TRUE(LoadKey(Key("two"), passphrases_).ok());
  EXPECT_THAT(asked_, ElementsAre("Passphrase of " + PathToUtf8(Key("one")),
                                  "Passphrase of " + PathToUtf8(Key("two"))));
}

TEST_F(PassphraseTest, AWrongAnswerIsNotRemembered) {
  answers_ = {"wrong", "three"};
  const absl::Status wrong = LoadKey(Key("three"), passphrases_).status();
  EXPECT_EQ(HResultOf(wrong), hr::kEInvalidarg);
  EXPECT_THAT(Message(wrong), HasSubstr(PathToUtf8(Key("three"))));
  EXPECT_THAT(Message(wrong), HasSubstr("at the terminal"));
  EXPECT_THAT(Message(wrong), Not(HasSubstr("--passphrase-file")));
  EXPECT_TRUE(LoadKey(Key("three"), passphrases_).ok());
}

TEST_F(PassphraseTest, NobodyIsAskedAnyMore) {
  answers_ = {"one", "two"};
  ASSERT_TRUE(LoadKey(Key("one"), passphrases_).ok());
  passphrases_.AskNoMore();
  EXPECT_TRUE(LoadKey(Key("one"), passphrases_).ok());
  EXPECT_EQ(HResultOf(LoadKey(Key("two"), passphrases_).status()),
            hr::kWuENoInteractiveUser);
  const auto token = ParsePkcs11Uri("pkcs11:token=t;object=o");
  EXPECT_FALSE(passphrases_.ForToken(*token, folder_.path()).ok());
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(PassphraseTest, AFileHasOneOnEachLine) {
  PassphraseSource file(folder_.Write("words", "one\r\n\ntwo\n"), false);
  EXPECT_TRUE(LoadKey(Key("two"), file).ok());
  EXPECT_TRUE(LoadKey(Key("one"), file).ok());
  EXPECT_EQ(file.ForNewKey().value(), "one");
  const absl::Status none = LoadKey(Key("three"), file).status();
  EXPECT_EQ(HResultOf(none), hr::kEInvalidarg);
  EXPECT_THAT(Message(none), HasSubstr("words"));
  std::string many;
  for (int i = 0; i < 65; ++i) many += "one\n";
  for (const std::string& text : {std::string("\none\n"), many}) {
    PassphraseSource bad(folder_.Write("bad", text), false);
    EXPECT_EQ(HResultOf(LoadKey(Key("one"), bad).status()), hr::kEInvalidarg);
  }
}

TEST(KeyRingTest, ReadsPublicKeysAloneAndWithTheirPrivateHalf) {
  const TestFolder folder;
  PassphraseSource passphrases({}, false);
  const fs::path path = folder.path() / "key.pem";
  const auto key = CreateKey(path, "ecdsa-sha2-nistp256", "");
  ASSERT_TRUE(key.ok()) << key.status();
  const fs::path half = folder.Write("half.pem", key->PublicPem().value());
  for (const fs::path& file : {path, half}) {
    const auto found = LoadPublicKey(file, passphrases);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(tuf::KeyId(*found), key->key_id());
  }
}

class ForeignKeyTest : public ::testing::Test {
 protected:
  absl::Status Refused(const std::string& content) {
    PassphraseSource passphrases({}, false, "USHER_NO_SUCH_VARIABLE");
    const fs::path path = folder_.Write("given", content);
    absl::Status status = ReadForeignKey(path, passphrases).status();
    EXPECT_EQ(HResultOf(status), hr::kEInvalidarg);
    EXPECT_THAT(Message(status), HasSubstr(PathToUtf8(path)));
    return status;
  }
  TestFolder folder_;
};

TEST_F(ForeignKeyTest, WhatIsNoPrivateKeyIsNamed) {
  EXPECT_THAT(Message(Refused("-----BEGIN OPENSSH PRIVATE KEY-----\n")),
              HasSubstr("ssh-keygen -p -m PKCS8"));
  EXPECT_THAT(Message(Refused("-----BEGIN PUBLIC KEY-----\n")),
              HasSubstr("public key"));
  EXPECT_THAT(Message(Refused("ssh-ed25519 AAAA me\n")),
              HasSubstr("public key"));
  EXPECT_THAT(Message(Refused("-----BEGIN CERTIFICATE-----\n")),
              HasSubstr("certificate"));
  EXPECT_THAT(Message(Refused("pkcs11:token=a;object=b\n")),
              HasSubstr("does not leave it"));
  EXPECT_THAT(Message(Refused("")), HasSubstr("openssl pkey"));
  for (const char* json :
       {"{", "{}", "{\"keyval\": 1}", "{\"keyval\": {\"private\": 1}}",
        "{\"keytype\": 1, \"keyval\": {\"private\": \"00\"}}"}) {
    EXPECT_THAT(Message(Refused(json)), HasSubstr("no unencrypted key"));
  }
  EXPECT_THAT(Message(Refused("00@@@@1@@@@00@@@@00@@@@00")),
              HasSubstr("in its own way"));
  const std::string seed(64, '1');
  EXPECT_THAT(Message(Refused("{\"keytype\": \"ed25519\", \"keyval\": "
                              "{\"private\": \"" +
                              seed + "\", \"public\": \"" + seed + "\"}}")),
              HasSubstr("damaged"));
  EXPECT_THAT(Message(Refused("\x30\x03\x02\x01\x01")),
              HasSubstr("openssl pkey"));
}

}  // namespace
}  // namespace usher::publisher
