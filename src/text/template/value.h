#pragma once
// The values of a chat template: Python's, as far as templates can tell. Lists and dicts are
// immutable once made (as in Hugging Face's sandbox), so sharing is safe and cycles cannot arise;
// their nesting is bounded. Namespaces and macros belong to the Renderer that made them.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace edgelm::text {

class Value;
class Dict;
struct List;
struct Callable;
struct Namespace;
struct Loop;

constexpr std::size_t kMaxTextBytes = 16U << 20;
constexpr std::uint32_t kMaxNesting = 200;
// One step is one node evaluated, or 16 bytes of text or half a list entry made.
constexpr std::uint64_t kMaxSteps = 10'000'000;

struct Undefined {
  std::shared_ptr<const std::string> what;  // the error if it is used; may be null
};
struct None {};
using TextRef = std::shared_ptr<const std::string>;  // always valid UTF-8
using ListRef = std::shared_ptr<const List>;
using DictRef = std::shared_ptr<const Dict>;
using CallableRef = std::shared_ptr<const Callable>;
using LoopRef = std::shared_ptr<Loop>;

class Value {
 public:
  using Storage = std::variant<Undefined, None, bool, std::int64_t, double, TextRef, ListRef,
                               DictRef, CallableRef, Namespace*, LoopRef>;

  Value() = default;
  template <class T>
    requires std::is_constructible_v<Storage, T>
  explicit Value(T value) : storage_(std::move(value)) {}
  explicit Value(std::string text)
      : storage_(std::make_shared<const std::string>(std::move(text))) {}
  explicit Value(std::string_view text) : Value(std::string(text)) {}
  explicit Value(const char* text) : Value(std::string(text)) {}
  explicit Value(List list);
  explicit Value(Dict dict);
  static Value none() { return Value(None{}); }
  static Value undefined(std::string what);

  template <class T>
  [[nodiscard]] bool is() const {
    return std::holds_alternative<T>(storage_);
  }
  template <class T>
  [[nodiscard]] const T& get() const {
    return *std::get_if<T>(&storage_);
  }
  [[nodiscard]] bool is_undefined() const { return is<Undefined>(); }
  [[nodiscard]] bool is_none() const { return is<None>(); }
  [[nodiscard]] bool is_text() const { return is<TextRef>(); }
  [[nodiscard]] bool is_list() const { return is<ListRef>(); }
  [[nodiscard]] bool is_dict() const { return is<DictRef>(); }
  [[nodiscard]] bool is_number() const {  // bool included, as in Python
    return is<std::int64_t>() || is<double>() || is<bool>();
  }
  [[nodiscard]] bool is_integer() const { return is<std::int64_t>() || is<bool>(); }

  [[nodiscard]] std::string_view text() const { return *get<TextRef>(); }
  [[nodiscard]] const List& list() const { return *get<ListRef>(); }
  [[nodiscard]] const Dict& dict() const { return *get<DictRef>(); }
  [[nodiscard]] std::int64_t integer() const;  // of an integer or bool
  [[nodiscard]] double number() const;         // of a number

 private:
  Storage storage_;
};

enum class ListKind : std::uint8_t { kList, kTuple, kView, kGenerator };

struct List {
  std::vector<Value> items;
  ListKind kind = ListKind::kList;
  std::uint32_t depth = 1;
};

// Keeps the order of insertion; keys are text, numbers, bools or none.
class Dict {
 public:
  using Item = std::pair<Value, Value>;

  void set(Value key, Value value);  // the last one wins, at the place of the first
  [[nodiscard]] const Value* find(const Value& key) const;
  [[nodiscard]] const Value* find(std::string_view key) const;
  [[nodiscard]] const std::vector<Item>& items() const { return items_; }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] std::uint32_t depth() const { return depth_; }

 private:
  std::vector<Item> items_;
  std::unordered_map<std::string, std::size_t> index_;  // by a text that equal keys share
  std::uint32_t depth_ = 1;
};

struct Namespace {
  std::unordered_map<std::string, Value> attributes;
};

struct Loop {
  std::vector<Value> items;
  std::size_t index = 0;
};

std::uint32_t nesting(const Value& value);  // 0 for scalars
bool truth(const Value& value);
// Both add to `work` what they cost in steps, and give up beyond any budget: values share their
// parts, so a small one can stand for an immense tree.
bool equal(const Value& a, const Value& b, std::uint64_t& work);
int compare(const Value& a, const Value& b, std::string_view op, std::uint64_t& work);  // <0, 0, >0
std::string_view type_name(const Value& value);  // as Python calls it
std::string to_text(const Value& value);         // str()
std::string to_repr(const Value& value);         // repr()
std::string number_text(double value);           // repr() of a float
[[noreturn]] void throw_undefined(const Value& value);

}  // namespace edgelm::text
