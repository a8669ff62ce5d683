// The token loop allocates nothing: counted over the real CPU backend and the scripted one.

#include <gtest/gtest.h>

#include "backend/cpu/cpu_backend.h"
#include "engine/engine.h"
#include "engine/text_generation.h"
#include "support/count_allocations_main.h"
#include "support/scripted_backend.h"
#include "support/tiny_model.h"

namespace edgelm::engine {
namespace {

TEST(Allocations, StepsPollsAndTextAllocateNothing) {
  const std::string bytes = test::TinyModel{}.bytes();
  const auto model = model::Model::parse(as_byte_span(bytes), "tiny");
  ASSERT_TRUE(model) << model.error().message;
  const auto backend = backend::CpuBackend::create({.decode_threads = 2, .prefill_threads = 2});
  ASSERT_TRUE(backend);
  auto engine = Engine::create(*model, **backend,
                               {.context_tokens = 128, .max_sequences = 2, .batch_tokens = 16});
  ASSERT_TRUE(engine);
  for (const float temperature : {0.0F, 0.9F}) {
    Request request;
    request.prompt.assign(40, 70);
    request.max_tokens = 60;
    request.sampling.temperature = temperature;
    request.sampling.repetition_penalty = 1.1F;
    request.logprobs = true;
    request.top_logprobs = 5;
    request.ignore_end = true;
    ASSERT_TRUE((*engine)->add(request));
  }
  TextGeneration text(*(*model)->tokenizer(), {"never appears", "nor this"});
  std::size_t tokens = 0;
  bool ok = true;
  const std::size_t allocations = test::allocations_of([&] {
    TokenEvent event;
    while (ok && !(*engine)->idle()) {
      ok = (*engine)->step().has_value();
      while ((*engine)->poll(event)) {
        ++tokens;
        if (event.sequence == 0) text.push(event.id);
      }
    }
  });
  EXPECT_TRUE(ok);
  EXPECT_EQ(tokens, 120U);
  if (!test::kCountsAllocations) GTEST_SKIP() << "a sanitizer owns operator new: nothing counted";
  EXPECT_EQ(allocations, 0U);
  // The counter counts.
  EXPECT_GE(test::allocations_of([] { delete new std::vector<int>(100); }), 1U);
}

}  // namespace
}  // namespace edgelm::engine
