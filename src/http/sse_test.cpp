// Server-sent events: the rules of WHATWG HTML section 9.2, and that cuts never matter.

#include "http/sse.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace edgelm::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "type|data" of each event of a stream that arrives in the given pieces.
std::vector<std::string> events(const std::vector<std::string>& pieces) {
  EventParser parser;
  std::vector<std::string> result;
  for (const std::string& piece : pieces) {
    const Status status = parser.push(piece, [&](const ServerEvent& event) {
      result.push_back(event.type + "|" + event.data);
      return true;
    });
    if (!status) result.push_back("error " + status.error().message);
  }
  return result;
}

TEST(EventParser, JoinsDataLinesAndNamesTypes) {
  EXPECT_THAT(events({"data: a\ndata: b\n\nevent: done\ndata:c\n\ndata: d\n\n"}),
              ElementsAre("message|a\nb", "done|c", "message|d"));
}

TEST(EventParser, TakesAnyLineEnding) {
  EXPECT_THAT(events({"data: a\r\ndata: b\r\rdata: c\r\n\r\ndata: d\n\r\n"}),
              ElementsAre("message|a\nb", "message|c", "message|d"));
}

TEST(EventParser, StripsOneSpaceAndTheByteOrderMark) {
  EXPECT_THAT(events({"\xEF\xBB\xBF"
                      "data:  two\n\ndata\n\ndata: \xEF\xBB\xBFx\n\n"}),
              ElementsAre("message| two", "message|", "message|\xEF\xBB\xBFx"));
}

TEST(EventParser, IgnoresCommentsUnknownFieldsAndEmptyEvents) {
  EXPECT_THAT(events({": hello\nid: 1\nretry: 5\nfoo: bar\n\nevent: x\n\n\n\ndata: y\n:z\n\n"}),
              ElementsAre("message|y"));
}

TEST(EventParser, DropsAnUnfinishedEvent) { EXPECT_THAT(events({"data: a\n"}), IsEmpty()); }

TEST(EventParser, StopsWhenTold) {
  EventParser parser;
  int seen = 0;
  EXPECT_TRUE(parser.push("data: a\n\ndata: b\n\n", [&](const ServerEvent&) {
    ++seen;
    return false;
  }));
  EXPECT_EQ(seen, 1);
}

TEST(EventParser, LimitsLinesAndEvents) {
  const auto nothing = [](const ServerEvent&) { return true; };
  EventParser lines(100);
  const Status line = lines.push("data: " + std::string(95, 'x'), nothing);
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, ErrorCode::kLimit);
  EventParser many(100);
  Status event;
  for (int i = 0; i < 100 && event; ++i) event = many.push("data: 0123456789\n", nothing);
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, ErrorCode::kLimit);
}

// Streams made at random of what matters to the parser, cut at random: whole or in pieces, down to
// single bytes, the events are the same.
TEST(EventParser, CutsNeverMatter) {
  const std::vector<std::string> parts = {
      "data", "data:", "data: x", "event: t",     ":",
      "\n",   "\r",    "\r\n",    "\n\n",         "\r\n\r\n",
      "y",    " ",     "id: 3",   "\xEF\xBB\xBF", "data: {\"a\": 1}\n\n"};
  std::size_t n_events = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    std::string stream;
    std::uint64_t draw = 0;
    for (int i = 0; i < 40; ++i) stream += parts[random_bits(seed, draw++) % parts.size()];
    const std::vector<std::string> whole = events({stream});
    n_events += whole.size();
    std::vector<std::string> pieces;
    std::vector<std::string> bytes;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = random_bits(seed, draw++) % 7;  // empty pieces too
      pieces.push_back(stream.substr(at, size));
      at += size;
    }
    for (const char c : stream) bytes.emplace_back(1, c);
    ASSERT_EQ(events(pieces), whole) << "seed " << seed;
    ASSERT_EQ(events(bytes), whole) << "seed " << seed;
  }
  EXPECT_GT(n_events, 300u);
}

}  // namespace
}  // namespace edgelm::http
