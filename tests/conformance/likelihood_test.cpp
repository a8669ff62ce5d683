// Log-likelihoods of continuations, with all that FileSubject does to compute them quickly (shared
// prefixes, branches side by side, caches between calls, cut contexts), against a forward pass in
// double that does none of it.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "api/json.h"
#include "backend/cpu/cpu_backend.h"
#include "quality/choice.h"
#include "quality/file_subject.h"
#include "support/data.h"
#include "support/float64_model.h"
#include "support/tiny_model.h"

namespace edgelm::conformance {
namespace {

using quality::Likelihood;
using quality::Pair;

// Nats per token: KV in f16 and sums in float32. Random weights amplify the rounding of keys.
constexpr double kPerToken = 2e-3;        // stories260K: 8e-4 at most
constexpr double kPerRandomToken = 5e-3;  // 2.1e-3 at most

struct Both {
  std::shared_ptr<const model::Model> model;
  std::unique_ptr<test::Float64Model> exact;
  std::unique_ptr<backend::CpuBackend> backend;

  mutable double worst = 0;  // per token, of all that was compared
  ~Both() {
    if (worst > 0) fmt::print("largest error per token: {:.1e} nats\n", worst);
  }
  Both() = default;
  Both(Both&&) = default;

  std::unique_ptr<quality::FileSubject> subject(const quality::FileSubjectOptions& options) const {
    return quality::FileSubject::create(model, *backend, options).value();
  }

  // By the definition: the tokens of the whole text beyond those of the context.
  test::Float64Model::Likelihood expected(const Pair& pair, std::uint32_t* n_tokens) const {
    const auto context = model->tokenizer()->encode(pair.context, {}).value();
    const auto whole = model->tokenizer()->encode(pair.context + pair.continuation, {}).value();
    std::vector<text::TokenId> ids = context;
    ids.insert(ids.end(), whole.begin() + static_cast<std::ptrdiff_t>(context.size()), whole.end());
    *n_tokens = static_cast<std::uint32_t>(ids.size() - context.size());
    return exact->likelihood(ids, context.size());
  }

  void expect_equal(const std::vector<Pair>& pairs, const std::vector<Likelihood>& got,
                    double per_token = kPerToken) const {
    ASSERT_EQ(got.size(), pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      std::uint32_t n = 0;
      const auto expected_one = expected(pairs[i], &n);
      EXPECT_EQ(got[i].n_tokens, n) << pairs[i].continuation;
      EXPECT_NEAR(got[i].sum_logprob, expected_one.sum, per_token * n) << pairs[i].continuation;
      worst = std::max(worst, std::abs(got[i].sum_logprob - expected_one.sum) / n);
      EXPECT_EQ(got[i].all_greedy, expected_one.greedy) << pairs[i].continuation;
    }
  }
};

Both stories() {
  Both both;
  const std::string folder = *test::shared_data() + "/models/";
  both.model = model::Model::load(folder + "stories260K.gguf").value();
  both.exact = std::make_unique<test::Float64Model>(both.model->file());
  both.backend = backend::CpuBackend::create({.decode_threads = 1, .cache = false}).value();
  return both;
}

// The reference itself, against one that somebody else wrote.
TEST(Float64Model, HasTheGoldenLogitsAndStories) {
  if (!test::shared_data()) GTEST_SKIP() << "no data folder (EDGELM_DATA)";
  const Both both = stories();
  std::ifstream file(*test::shared_data() + "/models/stories260K.golden.json");
  const api::Json golden = api::Json::parse(file).at("stories260K");
  const auto expected = golden.at("logits_after_bos").get<std::vector<double>>();
  const std::int32_t bos = 1;
  const auto got = both.exact->logits({&bos, 1}).at(0);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 2e-6) << i;
  for (const api::Json& story : golden.at("tinystories_sample").at("per_story")) {
    const auto ids = story.at("tokens").get<std::vector<std::int32_t>>();
    if (ids.size() > 230) continue;  // seconds each
    EXPECT_NEAR(-both.exact->likelihood(ids, 1).sum, story.at("sum_nll").get<double>(), 1e-6);
  }
}

TEST(FileSubject, ScoresChoicesOfOneContext) {
  if (!test::shared_data()) GTEST_SKIP() << "no data folder (EDGELM_DATA)";
  const Both both = stories();
  const std::string context = "Once upon a time, there was a little girl named Lily. She loved to";
  const std::vector<Pair> pairs = {{context, " play outside in the park."},
                                   {context, " play."},
                                   {context, " eat the big red ball and go to sleep"},
                                   {context, " x"}};
  for (const std::uint32_t batch : {7U, 40U, 256U}) {  // alone, in waves, all at once
    const auto subject = both.subject({.context = 128, .batch = batch});
    for (int again = 0; again < 2; ++again) both.expect_equal(pairs, subject->score(pairs).value());
  }
}

TEST(FileSubject, ScoresContextsThatDiffer) {
  if (!test::shared_data()) GTEST_SKIP() << "no data folder (EDGELM_DATA)";
  const Both both = stories();
  const auto subject = both.subject({.context = 128});
  const std::vector<Pair> blanks = {{"Tom gave the ball to Lily because Tom", " was kind."},
                                    {"Tom gave the ball to Lily because Lily", " was kind."}};
  both.expect_equal(blanks, subject->score(blanks).value());
  const std::vector<Pair> alone = {{"The dog was a big,", " red ball."}};
  both.expect_equal(alone, subject->score(alone).value());
  both.expect_equal(blanks, subject->score(blanks).value());
  // White space at the end of a context belongs to the continuation.
  const std::vector<Pair> space = {{"The dog was a big, ", "red ball."}};
  EXPECT_EQ(subject->score(space).value()[0].sum_logprob,
            subject->score(alone).value()[0].sum_logprob);
}

// What the texts share is run once; the next call goes on from there.
TEST(FileSubject, RunsSharedTokensOnce) {
  if (!test::shared_data()) GTEST_SKIP() << "no data folder (EDGELM_DATA)";
  const Both both = stories();
  const auto subject = both.subject({.context = 128});
  const std::string context = "Once upon a time, there was a little girl named Lily. She";
  const std::vector<Pair> letters = {{context, " a"}, {context, " b"}, {context, " c"}};
  ASSERT_TRUE(subject->score(letters));
  const std::uint64_t first = subject->tokens_run();
  EXPECT_LT(first, subject->tokens_asked() / 2);
  ASSERT_TRUE(subject->score(letters));
  EXPECT_LE(subject->tokens_run() - first, 3U * 2 + 2) << "the context ran again";
}

TEST(FileSubject, CutsLongContextsAndSaysSo) {
  if (!test::shared_data()) GTEST_SKIP() << "no data folder (EDGELM_DATA)";
  const Both both = stories();
  std::string context;
  for (int i = 0; i < 30; ++i) context += "Lily saw a big red ball. ";
  const std::vector<Pair> pairs = {{context + "She", " was happy."}};
  const auto subject = both.subject({.context = 64});
  const Likelihood got = subject->score(pairs).value()[0];
  EXPECT_TRUE(got.truncated);
  // The same by hand: BOS and the last 64 tokens.
  auto ids = both.model->tokenizer()->encode(pairs[0].context + pairs[0].continuation, {}).value();
  ids.erase(ids.begin() + 1, ids.begin() + static_cast<std::ptrdiff_t>(ids.size() - 64));
  ASSERT_EQ(ids.size(), 65U);
  const auto expected = both.exact->likelihood(ids, ids.size() - got.n_tokens);
  EXPECT_NEAR(got.sum_logprob, expected.sum, kPerToken * got.n_tokens);

  const auto small = both.subject({.context = 4});
  const auto failed = small->score(std::vector<Pair>{{"She", " was very happy to see him again."}});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kLimit);
  EXPECT_NE(failed.error().message.find("raise -c"), std::string::npos);
}

// HellaSwag's score starts where the endings begin to differ, as llama.cpp's does.
TEST(FileSubject, TellsThePartInWhichEndingsDiffer) {
  if (!test::shared_data()) GTEST_SKIP() << "no data folder (EDGELM_DATA)";
  const Both both = stories();
  const auto subject = both.subject({.context = 128});
  const std::vector<Pair> pairs = {{"Lily saw a", " big red ball and was happy"},
                                   {"Lily saw a", " big red dog and was sad"}};
  const auto got = subject->score(pairs).value();
  const auto a = both.model->tokenizer()->encode(pairs[0].context + pairs[0].continuation, {});
  const auto b = both.model->tokenizer()->encode(pairs[1].context + pairs[1].continuation, {});
  std::size_t common = 0;
  while ((*a)[common] == (*b)[common]) ++common;
  EXPECT_EQ(got[0].n_distinct, a->size() - common);
  EXPECT_LT(got[0].n_distinct, got[0].n_tokens);
  EXPECT_NEAR(*got[0].distinct_logprob, both.exact->likelihood(*a, common).sum,
              kPerToken * got[0].n_distinct);
  EXPECT_NEAR(*got[1].distinct_logprob, both.exact->likelihood(*b, common).sum,
              kPerToken * got[1].n_distinct);
}

// Random weights, one token per byte, and every place a block boundary can have in a text.
TEST(FileSubject, IsRightAtEveryLength) {
  const test::TinyModel tiny;
  const std::string bytes = tiny.bytes();
  Both both;
  both.model = model::Model::parse(as_byte_span(bytes), "tiny").value();
  both.exact = std::make_unique<test::Float64Model>(both.model->file());
  both.backend = backend::CpuBackend::create({.decode_threads = 1, .cache = false}).value();
  const auto subject = both.subject({.context = 200, .batch = 64});
  std::string context = "a";
  for (std::size_t n = 1; n < 70; ++n) {
    context += static_cast<char>('a' + n % 26);
    const std::vector<Pair> pairs = {
        {context, "xyz"}, {context, "xy"}, {context, std::string(n % 40 + 1, 'q')}, {context, "w"}};
    both.expect_equal(pairs, subject->score(pairs).value(), kPerRandomToken);
  }
}

TEST(FileSubject, ModelThatComputesNoNumbersIsNamed) {
  test::TinyModel tiny;
  std::string bytes = tiny.bytes();
  // The last tensor is the output norm: NaN in it makes every logit NaN.
  for (std::size_t i = bytes.size() - 64; i < bytes.size(); ++i) bytes[i] = '\xff';
  const auto model = model::Model::parse(as_byte_span(bytes), "broken.gguf").value();
  const auto backend = backend::CpuBackend::create({.decode_threads = 1, .cache = false}).value();
  const auto subject = quality::FileSubject::create(model, *backend, {}).value();
  const auto failed = subject->score(std::vector<Pair>{{"ab", "cd"}});
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("broken.gguf"), std::string::npos);
}

}  // namespace
}  // namespace edgelm::conformance
