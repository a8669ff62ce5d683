// The engine over a scripted backend: whatever the chunks, the company and the sharing of blocks, a
// sequence gets the tokens that its own ids determine; limits and errors are values.

#include "engine/engine.h"

#include <gtest/gtest.h>

#include <numeric>

#include "support/scripted_backend.h"
#include "support/tiny_model.h"

namespace edgelm::engine {
namespace {

class EngineTest : public ::testing::Test {
 protected:
  std::unique_ptr<Engine> make(const EngineOptions& options) {
    auto model = model::Model::parse(as_byte_span(bytes_), "tiny");
    EXPECT_TRUE(model) << model.error().message;
    auto engine = Engine::create(*model, backend_, options);
    EXPECT_TRUE(engine) << engine.error().message;
    return std::move(*engine);
  }

  static Request greedy(std::vector<TokenId> prompt, std::uint32_t max_tokens) {
    Request request;
    request.prompt = std::move(prompt);
    request.max_tokens = max_tokens;
    request.sampling.temperature = 0;
    return request;
  }

  static std::vector<TokenId> ids(std::size_t n, std::uint64_t seed) {
    Random random(seed);
    std::vector<TokenId> result;
    for (std::size_t i = 0; i < n; ++i)
      result.push_back(static_cast<TokenId>(3 + random.below(test::TinyModel::kVocabulary - 3)));
    return result;
  }

  static std::vector<TokenId> expected(std::vector<TokenId> ids, std::size_t n) {
    const std::size_t begin = ids.size();
    while (ids.size() < begin + n)
      ids.push_back(test::scripted_next(ids, test::TinyModel::kVocabulary));
    return {ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.end()};
  }

  // Runs until idle; the tokens of every sequence slot.
  static std::map<SequenceId, std::vector<TokenId>> drain(Engine& engine) {
    std::map<SequenceId, std::vector<TokenId>> tokens;
    while (!engine.idle()) {
      const Status status = engine.step();
      EXPECT_TRUE(status) << status.error().message;
      if (!status) break;
      TokenEvent event;
      while (engine.poll(event)) {
        EXPECT_EQ(event.index, tokens[event.sequence].size());
        tokens[event.sequence].push_back(event.id);
        last_finish_[event.sequence] = event.finish;
      }
    }
    return tokens;
  }

  std::string bytes_ = test::TinyModel{}.bytes();
  test::ScriptedBackend backend_;
  static inline std::map<SequenceId, Finish> last_finish_;
};

TEST_F(EngineTest, TokensDoNotDependOnTheChunk) {
  const auto prompt = ids(37, 1);
  for (const std::uint32_t batch : {1U, 3U, 8U, 37U, 256U}) {
    auto engine = make({.context_tokens = 64, .batch_tokens = batch, .kv_block_tokens = 8});
    const auto id = engine->add(greedy(prompt, 10));
    ASSERT_TRUE(id);
    EXPECT_EQ(drain(*engine)[*id], expected(prompt, 10)) << "batch " << batch;
    EXPECT_LE(backend_.last->largest_batch, batch);
    EXPECT_EQ(last_finish_[*id], Finish::kLength);
    EXPECT_EQ(engine->kv_blocks().n_free(), engine->kv_blocks().size());
  }
}

TEST_F(EngineTest, SequencesTogetherGetTheirOwnTokens) {
  auto engine =
      make({.context_tokens = 64, .max_sequences = 5, .batch_tokens = 16, .kv_block_tokens = 8});
  std::map<SequenceId, std::vector<TokenId>> want;
  for (std::uint64_t i = 0; i < 5; ++i) {
    const auto prompt = ids(3 + 9 * i, 10 + i);
    const auto id = engine->add(greedy(prompt, static_cast<std::uint32_t>(4 + i)));
    ASSERT_TRUE(id) << id.error().message;
    want[*id] = expected(prompt, 4 + i);
  }
  EXPECT_EQ(drain(*engine), want);
}

TEST_F(EngineTest, ASequenceMayJoinLater) {
  auto engine =
      make({.context_tokens = 64, .max_sequences = 2, .batch_tokens = 8, .kv_block_tokens = 8});
  const auto first = ids(20, 1), second = ids(30, 2);
  const auto a = engine->add(greedy(first, 12));
  std::vector<TokenId> tokens;
  TokenEvent event;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(engine->step());
    while (engine->poll(event)) tokens.push_back(event.id);
  }
  const auto b = engine->add(greedy(second, 6));
  ASSERT_TRUE(a && b);
  while (!engine->idle()) {
    ASSERT_TRUE(engine->step());
    while (engine->poll(event))
      if (event.sequence == *a) tokens.push_back(event.id);
  }
  EXPECT_EQ(tokens, expected(first, 12));
}

TEST_F(EngineTest, AKeptPrefixIsSharedByWholeBlocks) {
  auto engine =
      make({.context_tokens = 128, .max_sequences = 2, .batch_tokens = 32, .kv_block_tokens = 8});
  const auto prompt = ids(21, 3);
  Request first = greedy(prompt, 6);
  first.keep = true;
  const auto a = engine->add(first);
  ASSERT_TRUE(a);
  const auto answer = drain(*engine)[*a];
  // The next turn: everything so far and something new.
  std::vector<TokenId> longer = prompt;
  longer.insert(longer.end(), answer.begin(), answer.end());
  const auto tail = ids(5, 4);
  longer.insert(longer.end(), tail.begin(), tail.end());
  Request second = greedy(longer, 6);
  second.prefix = *a;
  const auto b = engine->add(second);
  ASSERT_TRUE(b) << b.error().message;
  EXPECT_EQ(engine->shared_tokens(*b), 24U);  // 26 cached ids in common: three blocks of 8
  engine->release(*a);
  EXPECT_EQ(drain(*engine)[*b], expected(longer, 6));
  EXPECT_EQ(engine->kv_blocks().n_free(), engine->kv_blocks().size());
}

TEST_F(EngineTest, AnIdenticalPromptStillRunsItsLastToken) {
  auto engine = make({.context_tokens = 64, .max_sequences = 2, .kv_block_tokens = 8});
  const auto prompt = ids(16, 5);
  Request first = greedy(prompt, 3);
  first.keep = true;
  const auto a = engine->add(first);
  drain(*engine);
  Request second = greedy(prompt, 3);
  second.prefix = *a;
  const auto b = engine->add(second);
  ASSERT_TRUE(b);
  EXPECT_EQ(engine->shared_tokens(*b), 8U);
  EXPECT_EQ(drain(*engine)[*b], expected(prompt, 3));
}

TEST_F(EngineTest, TheContextLimitEndsAnAnswerAndRefusesAPrompt) {
  auto engine = make({.context_tokens = 24, .kv_block_tokens = 8});
  const auto id = engine->add(greedy(ids(20, 1), 100));
  ASSERT_TRUE(id);
  EXPECT_EQ(drain(*engine)[*id].size(), 4U);
  EXPECT_EQ(last_finish_[*id], Finish::kContext);
  const auto refused = engine->add(greedy(ids(24, 1), 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  EXPECT_NE(refused.error().message.find("24 tokens"), std::string::npos);
}

TEST_F(EngineTest, EndOfTextEndsUnlessIgnored) {
  backend_.force_next[12] = 2;  // </s>
  auto engine = make({.context_tokens = 64});
  const auto prompt = ids(10, 1);
  const auto id = engine->add(greedy(prompt, 8));
  const auto tokens = drain(*engine)[*id];
  ASSERT_EQ(tokens.size(), 3U);
  EXPECT_EQ(tokens.back(), 2);
  EXPECT_EQ(last_finish_[*id], Finish::kEnd);
  Request on = greedy(prompt, 8);
  on.ignore_end = true;
  const auto again = engine->add(on);
  EXPECT_EQ(drain(*engine)[*again].size(), 8U);
}

TEST_F(EngineTest, BadRequestsAreRefusedWithReasons) {
  auto engine = make({.context_tokens = 64, .max_sequences = 1});
  EXPECT_FALSE(engine->add(greedy({}, 1)));
  EXPECT_FALSE(engine->add(greedy({-1}, 1)));
  EXPECT_FALSE(engine->add(greedy({static_cast<TokenId>(test::TinyModel::kVocabulary)}, 1)));
  Request hot = greedy({5}, 1);
  hot.sampling.top_p = -1;
  EXPECT_FALSE(engine->add(hot));
  Request curious = greedy({5}, 1);
  curious.top_logprobs = kMaxTopLogprobs + 1;
  EXPECT_FALSE(engine->add(curious));
  ASSERT_TRUE(engine->add(greedy({5}, 3)));
  const auto full = engine->add(greedy({5}, 3));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kLimit);
}

TEST_F(EngineTest, TooFewBlocksAreRefusedAndNothingLeaks) {
  auto engine =
      make({.context_tokens = 64, .max_sequences = 2, .cache_tokens = 64, .kv_block_tokens = 8});
  const auto a = engine->add(greedy(ids(30, 1), 20));
  ASSERT_TRUE(a);
  EXPECT_FALSE(engine->add(greedy(ids(30, 2), 20)));
  EXPECT_EQ(engine->kv_blocks().n_free(), 1U);
  drain(*engine);
  EXPECT_EQ(engine->kv_blocks().n_free(), 8U);
}

TEST_F(EngineTest, CancelFreesAtOnce) {
  auto engine = make({.context_tokens = 64, .kv_block_tokens = 8});
  const auto id = engine->add(greedy(ids(10, 1), 20));
  ASSERT_TRUE(engine->step());
  TokenEvent event;
  ASSERT_TRUE(engine->poll(event));
  engine->cancel(*id);
  EXPECT_TRUE(engine->idle());
  EXPECT_EQ(engine->kv_blocks().n_free(), engine->kv_blocks().size());
  engine->cancel(*id);  // twice is harmless
  engine->cancel(99);
}

TEST_F(EngineTest, EventsMustBeTakenAndFailuresPassThrough) {
  auto engine = make({.context_tokens = 64});
  ASSERT_TRUE(engine->add(greedy(ids(4, 1), 5)));
  ASSERT_TRUE(engine->step());
  EXPECT_FALSE(engine->step());  // one event is waiting
  TokenEvent event;
  EXPECT_TRUE(engine->poll(event));
  EXPECT_FALSE(engine->poll(event));
  backend_.last->fail_next = true;
  const Status status = engine->step();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "scripted failure");
}

TEST_F(EngineTest, ZeroTokensOnlyFillsTheCache) {
  auto engine = make({.context_tokens = 64});
  Request request = greedy(ids(10, 1), 0);
  request.keep = true;
  const auto id = engine->add(request);
  ASSERT_TRUE(id);
  EXPECT_TRUE(drain(*engine).empty());
  EXPECT_EQ(engine->prefilled_tokens(*id), 10U);
}

TEST_F(EngineTest, TheSameSeedGivesTheSameStream) {
  const auto sample = [&](std::uint64_t seed) {
    auto engine = make({.context_tokens = 64});
    Request request;
    request.prompt = ids(5, 1);
    request.max_tokens = 20;
    request.sampling.temperature = 50;  // nearly uniform: seeds must differ
    request.sampling.top_k = 0;
    request.sampling.top_p = 1;
    request.sampling.min_p = 0;
    request.sampling.seed = seed;
    request.ignore_end = true;
    const auto id = engine->add(request);
    return drain(*engine)[*id];
  };
  EXPECT_EQ(sample(1), sample(1));
  EXPECT_NE(sample(1), sample(2));
}

TEST_F(EngineTest, LogitsThatAreNoNumbersAreAnError) {
  auto engine = make({.context_tokens = 64, .kv_block_tokens = 8});
  ASSERT_TRUE(engine->add(greedy(ids(5, 1), 4)));
  backend_.last->no_numbers = true;
  const Status status = engine->step();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kFormat);
  EXPECT_NE(status.error().message.find("NaN"), std::string::npos);
}

}  // namespace
}  // namespace edgelm::engine
