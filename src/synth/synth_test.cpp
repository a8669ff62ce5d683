// What synth makes: as large as the published models, of the types that llama.cpp's quantizer
// gives, the same bytes every time, and a model that loads.

#include "synth/synth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model.h"
#include "synth/tensors.h"

namespace edgelm::synth {
namespace {

using tensor::DType;
using ::testing::HasSubstr;

std::uint64_t bytes_of(const std::vector<TensorSpec>& tensors) {
  std::uint64_t bytes = 0;
  for (const TensorSpec& tensor : tensors) {
    const tensor::DTypeInfo& info = tensor::dtype_info(tensor.type);
    bytes += tensor.shape.elements() / info.block_elements * info.block_bytes;
  }
  return bytes;
}

DType type_of(const std::vector<TensorSpec>& tensors, std::string_view name) {
  for (const TensorSpec& tensor : tensors)
    if (tensor.name == name) return tensor.type;
  ADD_FAILURE() << "no tensor " << name;
  return DType::kF32;
}

std::uint64_t fingerprint(const Recipe& recipe) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto status = gguf_of(recipe).stream([&hash](Bytes piece) -> Status {
    for (const std::byte byte : piece)
      hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3ULL;
    return {};
  });
  EXPECT_TRUE(status);
  return hash;
}

TEST(Shapes, HaveAsManyParametersAsPublished) {
  for (const ModelShape& shape : shapes()) {
    const auto recipe = make_recipe(shape.name, "F16");
    ASSERT_TRUE(recipe);
    EXPECT_EQ(count_parameters(list_tensors(*recipe)), shape.published_parameters) << shape.name;
  }
}

TEST(Mixes, AreAsLargeAsPublishedFiles) {
  // "model size" as llama.cpp prints it for files of the hub, in MiB.
  const auto mebibytes = [](const char* shape, const char* type) {
    return static_cast<double>(bytes_of(list_tensors(*make_recipe(shape, type)))) / (1 << 20);
  };
  EXPECT_NEAR(mebibytes("tinyllama-1.1b", "Q4_K_M"), 636.18, 0.01);
  EXPECT_NEAR(mebibytes("qwen2.5-0.5b", "Q4_K_M"), 373.71, 0.01);
  EXPECT_NEAR(mebibytes("llama3.2-1b", "Q4_K_M"), 762.81, 0.01);
  EXPECT_NEAR(mebibytes("llama3.1-8b", "Q4_K_M"), 4685.30, 0.01);
}

TEST(Mixes, FollowTheLayer) {
  const auto medium = list_tensors(*make_recipe("tinyllama-1.1b", "q4_k_m"));
  EXPECT_EQ(type_of(medium, "output.weight"), DType::kQ6_K);
  EXPECT_EQ(type_of(medium, "token_embd.weight"), DType::kQ4_K);
  // 22 layers: the first 2, the last 3, and 4, 7, 10, 13, 16 between.
  for (const int layer : {0, 1, 4, 7, 10, 13, 16, 19, 20, 21})
    EXPECT_EQ(type_of(medium, fmt::format("blk.{}.ffn_down.weight", layer)), DType::kQ6_K) << layer;
  for (const int layer : {2, 3, 5, 6, 8, 17, 18})
    EXPECT_EQ(type_of(medium, fmt::format("blk.{}.attn_v.weight", layer)), DType::kQ4_K) << layer;
  EXPECT_EQ(type_of(medium, "blk.0.attn_k.weight"), DType::kQ4_K);
  EXPECT_EQ(type_of(medium, "blk.0.attn_norm.weight"), DType::kF32);

  const auto small = list_tensors(*make_recipe("tinyllama-1.1b", "Q4_K_S"));
  EXPECT_EQ(type_of(small, "blk.3.attn_v.weight"), DType::kQ5_K);
  EXPECT_EQ(type_of(small, "blk.4.attn_v.weight"), DType::kQ4_K);
  EXPECT_EQ(type_of(small, "blk.1.ffn_down.weight"), DType::kQ5_K);
  EXPECT_EQ(type_of(small, "blk.2.ffn_down.weight"), DType::kQ4_K);

  const auto five = list_tensors(*make_recipe("tinyllama-1.1b", "Q5_K_S"));
  EXPECT_EQ(type_of(five, "blk.0.attn_v.weight"), DType::kQ5_K);
  EXPECT_EQ(type_of(five, "output.weight"), DType::kQ6_K);
}

TEST(Mixes, GiveNarrowRowsAnotherType) {
  const Recipe recipe = *make_recipe("qwen2.5-0.5b", "Q5_K_M");  // 896 is no multiple of 256
  const auto tensors = list_tensors(recipe);
  EXPECT_EQ(type_of(tensors, "token_embd.weight"), DType::kQ8_0);
  EXPECT_EQ(type_of(tensors, "blk.3.attn_q.weight"), DType::kQ5_1);
  EXPECT_EQ(type_of(tensors, "blk.0.attn_v.weight"), DType::kQ8_0);
  EXPECT_EQ(type_of(tensors, "blk.0.ffn_down.weight"), DType::kQ6_K);  // 4864 is one
  EXPECT_THAT(replaced_types(recipe), HasSubstr("Q5_1 in place of Q5_K"));
  EXPECT_EQ(replaced_types(*make_recipe("tinyllama-1.1b", "Q5_K_M")), "");
  const auto pure = list_tensors(*make_recipe("qwen2.5-0.5b", "Q4_K"));
  EXPECT_EQ(type_of(pure, "token_embd.weight"), DType::kQ5_0);
  EXPECT_EQ(type_of(pure, "blk.3.ffn_down.weight"), DType::kQ4_K);
}

TEST(Synth, MakesTheSameBytesEveryTime) {
  const Recipe recipe = *make_recipe("smollm2-135m", "Q4_0", 1);
  const Recipe other_seed = *make_recipe("smollm2-135m", "Q4_0", 1, 1);
  const std::uint64_t hash = fingerprint(recipe);
  EXPECT_EQ(fingerprint(recipe), hash);
  EXPECT_NE(fingerprint(other_seed), hash);
}

TEST(Synth, LeavingLayersOutChangesNoOther) {
  const auto load = [](std::uint32_t layers) {
    const auto file = make_in_memory(*make_recipe("smollm2-135m", "Q5_K_M", layers));
    EXPECT_TRUE(file) << file.error().message;
    return formats::GgufFile::adopt(*file->map(), "synth").value();
  };
  const formats::GgufFile one = load(1);
  const formats::GgufFile two = load(2);
  for (const tensor::TensorView& tensor : one.tensors()) {
    const tensor::TensorView* same = two.find_tensor(tensor.name);
    ASSERT_NE(same, nullptr) << tensor.name;
    EXPECT_EQ(same->type, tensor.type);
    EXPECT_EQ(as_chars(same->data), as_chars(tensor.data)) << tensor.name;
  }
  EXPECT_EQ(two.find_tensor("blk.2.attn_q.weight"), nullptr);
}

// The smallest shape of each family and vocabulary.
class Loading : public ::testing::TestWithParam<const char*> {};

TEST_P(Loading, GivesAModelWithAVocabulary) {
  const Recipe recipe = *make_recipe(GetParam(), "Q4_0", 1);
  const auto made = make_in_memory(recipe);
  ASSERT_TRUE(made) << made.error().message;
  auto file = formats::GgufFile::adopt(*made->map(), "synth");
  ASSERT_TRUE(file) << file.error().message;
  const auto model = model::Model::from_file(std::move(*file));
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ((*model)->hparams().n_vocab, recipe.shape.n_vocab);
  EXPECT_EQ((*model)->hparams().n_layers, 1u);
  const text::Tokenizer& tokenizer = *(*model)->tokenizer();
  const std::string text = "Once upon a time, w\xc3\xb6rld\n 42";
  const auto ids = tokenizer.encode(text, {.add_special = false});
  ASSERT_TRUE(ids);
  EXPECT_LT(ids->size(), text.size());  // pieces are used, not bytes alone
  EXPECT_EQ(tokenizer.decode(*ids), text);
  EXPECT_TRUE(tokenizer.ends_generation(tokenizer.special().eos));
}

INSTANTIATE_TEST_SUITE_P(Synth, Loading,
                         ::testing::Values("smollm2-135m", "tinyllama-1.1b", "llama3.2-1b",
                                           "qwen2.5-0.5b", "deepseek-r1-distill-qwen-1.5b",
                                           "qwen3-0.6b"),
                         [](const auto& one) {
                           std::string name(one.param);
                           for (char& c : name)
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           return name;
                         });

TEST(Recipes, SayWhatThereIs) {
  EXPECT_THAT(make_recipe("gpt5", "Q4_0").error().message, HasSubstr("smollm2-135m"));
  EXPECT_THAT(make_recipe("smollm2-135m", "IQ2").error().message, HasSubstr("Q4_K_M"));
  EXPECT_THAT(make_recipe("smollm2-135m", "Q4_0", 31).error().message, HasSubstr("30 layers"));
}

TEST(Recipes, AreReadFromNames) {
  const auto recipe = parse_synth_name("synth:llama3.2-3b:q4_k_m:layers=4");
  ASSERT_TRUE(recipe) << recipe.error().message;
  EXPECT_EQ(recipe->title(), "llama3.2-3b, layers 1 to 4 of 28");
  EXPECT_EQ(recipe->mix.name, "Q4_K_M");
  EXPECT_EQ(parse_synth_name("synth:smollm2-135m:F16")->n_layers, 30u);
  for (const char* wrong :
       {"synth:", "synth:smollm2-135m", "synth:smollm2-135m:", "synth:smollm2-135m:Q4_0:",
        "synth:smollm2-135m:Q4_0:layers=", "synth:smollm2-135m:Q4_0:layers=0",
        "synth:smollm2-135m:Q4_0:layers=-1", "synth:smollm2-135m:Q4_0:layers=1x",
        "synth:smollm2-135m:Q4_0:seed=1", "synth:smollm2-135m:Q4_0:layers=1:2"})
    EXPECT_EQ(parse_synth_name(wrong).error().code, ErrorCode::kUsage) << wrong;
  EXPECT_FALSE(is_synth_name("synthetic.gguf"));
}

}  // namespace
}  // namespace edgelm::synth
