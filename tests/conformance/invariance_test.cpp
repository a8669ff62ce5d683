// The same bits whatever the schedule: logits may depend on neither the number of threads, nor the
// prefill chunk, nor which other sequences share a batch. Compared bit by bit, for every fixture
// model on every instruction set that runs here.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "fixture_model.h"
#include "runner.h"

namespace edgelm::conformance {
namespace {

constexpr std::uint32_t kWhole[] = {Runner::kBatchTokens};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void expect_same_bits(const LogitRows& rows, const LogitRows& expected) {
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t position = 0; position < rows.size(); ++position)
    ASSERT_TRUE(same_bits(rows[position], expected[position])) << "position " << position;
}

class Invariance : public testing::TestWithParam<std::tuple<std::string_view, std::string_view>> {
 protected:
  void SetUp() override {
    const auto& [name, isa] = GetParam();
    const FixtureSpec& spec = *find_fixture(name);
    isa_ = isa;
    bytes_ = fixture_gguf(spec);
    ids_ = fixture_ids(spec);
    // Long enough to leave the first KV block, short enough for the whole list to run in seconds.
    ids_.resize(std::min<std::size_t>(ids_.size(), 70));
    auto model = model::Model::parse(as_byte_span(bytes_), std::string(name));
    ASSERT_TRUE(model) << model.error().message;
    model_ = *model;
    expected_ = run(1, kWhole);
    ASSERT_EQ(expected_.size(), ids_.size());
    ASSERT_FALSE(same_bits(expected_[0], expected_[1]));  // else nothing below would mean anything
  }

  LogitRows run(std::uint32_t n_threads, std::span<const std::uint32_t> chunks) const {
    auto runner = Runner::create(model_, isa_, n_threads);
    if (!runner) return {};
    return (*runner)->run(ids_, chunks).value_or(LogitRows{});
  }

  std::string_view isa_;
  std::string bytes_;
  std::vector<std::int32_t> ids_;
  std::shared_ptr<const model::Model> model_;
  LogitRows expected_;
};

TEST_P(Invariance, Threads) {
  for (const std::uint32_t n_threads : {2U, 3U}) {
    SCOPED_TRACE(n_threads);
    expect_same_bits(run(n_threads, kWhole), expected_);
  }
}

TEST_P(Invariance, PrefillChunk) {
  for (const std::uint32_t chunk : {1U, 3U, 8U}) {
    SCOPED_TRACE(chunk);
    expect_same_bits(run(1, std::span(&chunk, 1)), expected_);
  }
}

// Three sequences move through the batches at different paces; the one looked at stands last, in
// the middle and first in turn.
TEST_P(Invariance, Company) {
  auto created = Runner::create(model_, isa_, 2);
  ASSERT_TRUE(created) << created.error().message;
  Runner& runner = **created;
  std::vector<std::int32_t> other(ids_.rbegin(), ids_.rend());
  std::vector<std::int32_t> third(ids_.size(), ids_.back());

  LogitRows rows;
  const std::uint32_t n = static_cast<std::uint32_t>(ids_.size());
  for (std::uint32_t step = 0, at = 0, other_at = 0; at < n; ++step) {
    const std::uint32_t n_ids = std::min(n - at, step % 2 == 0 ? 5U : 1U);
    const std::uint32_t n_other = std::min(n - other_at, 7U);
    std::vector<Part> parts;
    if (n_other > 0) parts.push_back({1, other_at, std::span(other).subspan(other_at, n_other)});
    parts.push_back({3, step, std::span(third).subspan(step, 1)});
    const std::size_t place = parts.size() - std::min<std::size_t>(step % 3, parts.size());
    parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(place),
                 {0, at, std::span(ids_).subspan(at, n_ids)});
    auto logits = runner.step(parts);
    ASSERT_TRUE(logits) << logits.error().message;
    std::size_t row = 0;
    for (std::size_t part = 0; part < place; ++part) row += parts[part].ids.size();
    for (std::uint32_t i = 0; i < n_ids; ++i) rows.push_back(std::move((*logits)[row + i]));
    at += n_ids;
    other_at += n_other;
  }
  expect_same_bits(rows, expected_);
}

std::vector<std::string_view> model_names() {
  std::vector<std::string_view> names;
  for (const FixtureSpec& spec : fixture_specs()) names.push_back(spec.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(, Invariance,
                         testing::Combine(testing::ValuesIn(model_names()),
                                          testing::ValuesIn(runnable_isas())),
                         [](const auto& test) {
                           return fmt::format("{}_{}", std::get<0>(test.param),
                                              std::get<1>(test.param));
                         });

}  // namespace
}  // namespace edgelm::conformance
