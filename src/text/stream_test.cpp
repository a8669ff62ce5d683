// TextStream: cases by hand, then random texts, cuts and stop strings against a reference that sees
// the whole text at once.

#include "text/stream.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "support/count_allocations.h"
#include "text/utf8.h"

namespace edgelm::text {
namespace {

std::string stream_all(TextStream& stream, const std::vector<std::string>& pieces) {
  std::string shown;
  for (const std::string& piece : pieces) shown += stream.push(piece);
  shown += stream.finish();
  return shown;
}

TEST(Utf8Repair, FollowsTheTableOfMaximalSubparts) {
  const std::string r(kReplacementCharacter);
  EXPECT_EQ(repaired_utf8("ascii \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "ascii \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
  // Unicode 16, tables 3-8 to 3-11: non-shortest forms, surrogates, other ill-formed, truncated.
  EXPECT_EQ(repaired_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(repaired_utf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(repaired_utf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            r + r + r + r + r + "A" + r + r + "B");
  EXPECT_EQ(repaired_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), r + r + r + r + "A");
  EXPECT_EQ(repaired_utf8("\xF0\x9F\x98"), r);
}

TEST(TextStream, NeverShowsHalfACharacter) {
  TextStream stream;
  EXPECT_EQ(stream.push("a\xF0\x9F"), "a");
  EXPECT_EQ(stream.push(""), "");
  EXPECT_EQ(stream.push("\x98"), "");
  EXPECT_EQ(stream.push("\x80z"), "\xF0\x9F\x98\x80z");
  EXPECT_EQ(stream.push("\xE2\x82"), "");
  EXPECT_EQ(stream.finish(), kReplacementCharacter);
  EXPECT_EQ(stream.finish(), "");
}

TEST(TextStream, StopsAcrossPieces) {
  TextStream stream({"<|end|>"});
  EXPECT_EQ(stream.push("hi<|"), "hi");
  EXPECT_EQ(stream.push("en"), "");
  EXPECT_EQ(stream.push("d|>never"), "");
  EXPECT_TRUE(stream.stopped());
  EXPECT_EQ(stream.stop_string(), "<|end|>");
  EXPECT_EQ(stream.push("more"), "");
  EXPECT_EQ(stream.finish(), "");
}

TEST(TextStream, ReleasesAPrefixThatTurnsOutNotToMatch) {
  TextStream stream({"aab"});
  EXPECT_EQ(stream.push("xaa"), "x");
  EXPECT_EQ(stream.push("a"), "a");  // "aa" may still become "aab"
  EXPECT_EQ(stream.push("c"), "aac");
  EXPECT_EQ(stream.push("aa"), "");
  EXPECT_EQ(stream.finish(), "aa");
  EXPECT_FALSE(stream.stopped());
}

TEST(TextStream, TheStopThatEndsFirstWinsAndThenTheLongest) {
  struct Case {
    std::vector<std::string> stops;
    std::string text, shown, stop;
  };
  for (const Case& c : std::vector<Case>{
           {{"abcd", "bc"}, "xabcd", "xa", "bc"},
           {{"b", "ab", "xab"}, "zxab", "z", "xab"},
           {{"a", "ab"}, "xab", "x", "a"},
           {{"", "q"}, "xyz", "xyz", ""},
           {{"\xE2\x82\xAC", "\xF0\x9F\x98\x80"}, "1\xE2\x82\xAC", "1", "\xE2\x82\xAC"},
           {{"\n\n", "\nUser:"}, "ok\nUse\n\n", "ok\nUse", "\n\n"},
       }) {
    TextStream stream(c.stops);
    EXPECT_EQ(stream_all(stream, {c.text}), c.shown) << c.text;
    EXPECT_EQ(stream.stop_string(), c.stop) << c.text;
  }
}

TEST(TextStream, AnUnfinishedCharacterMayCompleteAStop) {
  TextStream stream({"\xEF\xBF\xBD"});
  EXPECT_EQ(stream.push("a\xE2"), "a");
  EXPECT_EQ(stream.finish(), "");
  EXPECT_TRUE(stream.stopped());
}

// The earliest end of any stop, then the longest: by looking at every prefix of the whole text.
std::string reference(const std::string& raw, const std::vector<std::string>& stops,
                      std::string* stop) {
  std::string text = repaired_utf8(raw);
  for (std::size_t end = 1; end <= text.size(); ++end) {
    for (const std::string& candidate : stops) {
      const std::string wanted = repaired_utf8(candidate);
      if (!wanted.empty() && wanted.size() > stop->size() &&
          std::string_view(text).substr(0, end).ends_with(wanted)) {
        *stop = wanted;
      }
    }
    if (!stop->empty()) return text.substr(0, end - stop->size());
  }
  return text;
}

TEST(TextStream, EqualsTheReferenceForAnyCut) {
  const std::vector<std::string> atoms = {
      "a",    "b",    "ab",       "\n",  "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
      "\xE2", "\x80", "\xF0\x9F", "\xFF"};
  Random random(20);
  const auto some = [&](std::uint64_t longest) {
    std::string text;
    for (std::uint64_t n = random.below(longest + 1); n > 0; --n) {
      text += atoms[random.below(random.below(3) == 0 ? atoms.size() : 4)];
    }
    return text;
  };
  std::size_t n_stopped = 0;
  for (int round = 0; round < 50000; ++round) {
    const std::string raw = some(24);
    std::vector<std::string> stops(random.below(4));
    for (std::string& stop : stops) stop = some(5);
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < raw.size();) {
      const std::size_t size = random.below(6);
      pieces.push_back(raw.substr(at, size));
      at += size;
    }
    std::string stop;
    const std::string expected = reference(raw, stops, &stop);
    TextStream stream(stops);
    std::string shown;
    for (const std::string& piece : pieces) {
      shown += stream.push(piece);
      ASSERT_EQ(repaired_utf8(shown), shown) << "half a character, round " << round;
      ASSERT_TRUE(expected.starts_with(shown)) << "shown too early, round " << round;
    }
    shown += stream.finish();
    ASSERT_EQ(shown, expected) << "round " << round;
    ASSERT_EQ(stream.stop_string(), stop) << "round " << round;
    n_stopped += stream.stopped() ? 1U : 0U;
  }
  EXPECT_GT(n_stopped, 5000U);
  EXPECT_LT(n_stopped, 45000U);
}

TEST(TextStream, AllocatesOnlyWhenConstructed) {
  const std::string stop(300, 'x');
  TextStream stream({stop, "never"}, 64);
  const std::string invalid(64, '\xFF');
  const std::string nearly(64, 'x');
  const std::string plain(64, 'y');
  std::size_t shown = 0;
  const std::size_t count = test::allocations_of([&] {
    for (int i = 0; i < 10; ++i) {
      for (int j = 0; j < 4; ++j) shown += stream.push(nearly).size();  // 256 of the 300 held back
      shown += stream.push(invalid).size();
      shown += stream.push(plain).size();
    }
    shown += stream.finish().size();
  });
  EXPECT_EQ(count, 0U);
  EXPECT_EQ(shown, 10U * (4 * 64 + 3 * 64 + 64));
  if (!test::kCountsAllocations) GTEST_SKIP() << "a sanitizer owns operator new: nothing counted";
  EXPECT_GT(test::allocations_of([] { TextStream({"a stop longer than a small string"}); }), 0U);
}

}  // namespace
}  // namespace edgelm::text
