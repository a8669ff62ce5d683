// Special tokens in a text: leftmost, longest.

#include "text/tokenizer_specials.h"

#include <gtest/gtest.h>

#include <string>

namespace edgelm::text {
namespace {

std::string found(const SpecialMatcher& matcher, std::string_view text) {
  std::string out;
  std::size_t at = 0;
  while (const auto match = matcher.find(text, at)) {
    out += std::to_string(match->begin) + "+" + std::to_string(match->length) + "=" +
           std::to_string(match->id) + " ";
    at = match->begin + match->length;
  }
  return out;
}

TEST(SpecialMatcher, LeftmostThenLongest) {
  const SpecialMatcher matcher(
      {{"<a>", 1}, {"<a>b", 2}, {"ab", 3}, {"bcd", 4}, {"<", 5}, {"ab", 9}});
  EXPECT_EQ(found(matcher, ""), "");
  EXPECT_EQ(found(matcher, "xyz"), "");
  EXPECT_EQ(found(matcher, "x<a>bc"), "1+4=2 ");
  EXPECT_EQ(found(matcher, "<a>"), "0+3=1 ");
  EXPECT_EQ(found(matcher, "<a"), "0+1=5 ");
  EXPECT_EQ(found(matcher, "abcd"), "0+2=3 ");
  EXPECT_EQ(found(matcher, "xbcdab"), "1+3=4 4+2=3 ");
  EXPECT_EQ(found(matcher, "<<a>"), "0+1=5 1+3=1 ");
}

TEST(SpecialMatcher, AnyBytes) {
  const SpecialMatcher matcher({{"\xFF\xFE", 1}, {std::string_view("\0", 1), 2}, {"\xFF", 3}});
  EXPECT_EQ(found(matcher, "\xFF\xFF\xFE"), "0+1=3 1+2=1 ");
  EXPECT_EQ(found(matcher, std::string_view("a\0", 2)), "1+1=2 ");
}

TEST(SpecialMatcher, EmptyFindsNothing) { EXPECT_EQ(found(SpecialMatcher(), "abc"), ""); }

}  // namespace
}  // namespace edgelm::text
