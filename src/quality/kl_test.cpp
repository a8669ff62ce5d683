// Divergences computed by hand, the bound of base files, and files that are damaged.

#include "quality/kl.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "os/file.h"

namespace edgelm::quality {
namespace {

std::vector<float> logs(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  logits.reserve(probabilities.size());
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p) + 3));
  return logits;
}

std::vector<float> random_logits(std::uint64_t seed, std::size_t n) {
  Random random(seed);
  std::vector<float> logits(n);
  for (float& logit : logits) logit = random.uniform(-4.0F, 4.0F);
  return logits;
}

TEST(Kl, OfThreeTokens) {
  const KlPosition got = compare_logits(logs({0.5, 0.25, 0.25}), logs({0.25, 0.25, 0.5}), 2);
  EXPECT_NEAR(got.divergence, 0.25 * std::log(2.0), 1e-6);  // .5 ln 2 - .25 ln 2
  EXPECT_NEAR(got.base_logprob, std::log(0.25), 1e-6);
  EXPECT_NEAR(got.logprob, std::log(0.5), 1e-6);
  EXPECT_FALSE(got.same_top);
}

TEST(Kl, BaseFileGivesALowerBoundThatGrowsToTheWhole) {
  TopComparison comparison;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto base = random_logits(seed, 100);
    const auto other = random_logits(seed + 1000, 100);
    const KlPosition exact = compare_logits(base, other, 7);
    double before = 0;
    for (const std::uint32_t k : {1U, 4U, 16U, 64U, 99U, 100U}) {
      BasePosition position;
      summarize_logits(base, 7, k, position);
      const KlPosition bound = comparison.compare(position, other, 7);
      EXPECT_GE(bound.divergence, before - 1e-12);
      EXPECT_LE(bound.divergence, exact.divergence + 1e-9);
      EXPECT_EQ(bound.same_top, exact.same_top);
      EXPECT_NEAR(bound.logprob, exact.logprob, 1e-12);
      EXPECT_NEAR(bound.base_logprob, exact.base_logprob, 1e-12);
      before = bound.divergence;
    }
    EXPECT_NEAR(before, exact.divergence, 1e-9);
  }
}

class BaseFileTest : public testing::Test {
 protected:
  void SetUp() override {
    header_ = {.n_vocab = 300,
               .top_k = 8,
               .context = 8,
               .n_chunks = 3,
               .scored = 3,
               .token_hash = 42,
               .model = "base.gguf"};
    path_ = (std::filesystem::temp_directory_path() / ("edgelm-kl-" + std::to_string(::getpid())))
                .string();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  BasePosition position(std::uint64_t seed) const {
    BasePosition one;
    summarize_logits(random_logits(seed, header_.n_vocab), 3, header_.top_k, one);
    return one;
  }

  std::string written() {
    auto writer = BaseFileWriter::create(path_, header_).value();
    for (std::uint64_t i = 0; i < 9; ++i) EXPECT_TRUE(writer.append(position(i)));
    EXPECT_TRUE(writer.commit());
    return os::read_file(path_, 1 << 20).value();
  }

  BaseHeader header_;
  std::string path_;
};

TEST_F(BaseFileTest, RoundTrips) {
  for (const std::uint32_t n_vocab : {300U, 70'000U}) {  // ids of two and of four bytes
    header_.n_vocab = n_vocab;
    const std::string bytes = written();
    const BaseFile file = BaseFile::open(path_).value();
    EXPECT_EQ(file.header().model, "base.gguf");
    EXPECT_EQ(file.header().token_hash, 42U);
    EXPECT_EQ(file.n_positions(), 9U);
    BasePosition got;
    for (std::uint64_t i = 0; i < 9; ++i) {
      ASSERT_TRUE(file.read(i, got));
      const BasePosition expected = position(i);
      EXPECT_EQ(got.ids, expected.ids);
      EXPECT_NEAR(got.logprob, expected.logprob, 1e-6);
      EXPECT_NEAR(got.logprobs[7], expected.logprobs[7], 1e-6);
      EXPECT_NEAR(got.tail_logmass, expected.tail_logmass, 1e-6);
    }
    EXPECT_FALSE(file.read(9, got));
  }
}

TEST_F(BaseFileTest, UnfinishedFileLeavesNothing) {
  {
    auto writer = BaseFileWriter::create(path_, header_).value();
    EXPECT_TRUE(writer.append(position(1)));
    EXPECT_FALSE(writer.commit());
  }
  EXPECT_FALSE(os::file_exists(path_));
}

TEST_F(BaseFileTest, EveryDamageIsSeen) {
  const std::string bytes = written();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(BaseFile::parse(as_byte_span(changed), "b.kl")) << i;
    EXPECT_FALSE(BaseFile::parse(as_byte_span(bytes).first(i), "b.kl")) << i;
  }
  const auto version = [&] {
    std::string changed = bytes;
    changed[8] = 9;
    return BaseFile::parse(as_byte_span(changed), "b.kl");
  }();
  EXPECT_EQ(version.error().code, ErrorCode::kUnsupported);
}

// Somebody who computes the checksum too.
TEST_F(BaseFileTest, PositionsThatAreNoDistributionAreRefused) {
  const std::string bytes = written();
  const std::size_t begin = 8 + 6 * 4 + 8 + 4 + header_.model.size();
  const auto with = [&](std::size_t at, const std::string& value) {
    std::string changed = bytes.substr(0, bytes.size() - 8);
    changed.replace(begin + at, value.size(), value);
    ByteWriter sum;
    sum.write(hash64(as_byte_span(changed)));
    changed += sum.bytes();
    const auto file = BaseFile::parse(as_byte_span(changed), "b.kl");
    EXPECT_TRUE(file) << file.error().message;
    BasePosition position;
    return file->read(0, position);
  };
  const std::string nan("\x00\x00\xc0\x7f", 4);
  EXPECT_FALSE(with(0, nan));                                  // the token's log-probability
  EXPECT_FALSE(with(4, nan));                                  // the tail
  EXPECT_FALSE(with(8, "\xff\xff"));                           // an id outside
  EXPECT_FALSE(with(8, bytes.substr(begin + 10, 2)));          // an id twice
  EXPECT_FALSE(with(24, std::string("\x00\x00\x80\x3f", 4)));  // probability e
  const Status swapped = with(24, bytes.substr(begin + 28, 4) + bytes.substr(begin + 24, 4));
  ASSERT_FALSE(swapped);
  EXPECT_NE(swapped.error().message.find("b.kl: position 0"), std::string::npos);
}

}  // namespace
}  // namespace edgelm::quality
