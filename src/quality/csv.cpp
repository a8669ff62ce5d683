// One pass, one record at a time.

#include "quality/csv.h"

namespace edgelm::quality {
namespace {

class Reader {
 public:
  explicit Reader(const TextFile& file) : file_(file), text_(file.text) {}

  [[nodiscard]] bool done() const { return at_ == text_.size(); }

  Result<CsvRecord> record() {
    CsvRecord record{.line = line_, .fields = {}};
    for (;;) {
      std::string& field = record.fields.emplace_back();
      if (!done() && text_[at_] == '"') {
        EDGELM_TRY(quoted_field(field));
      } else {
        while (!done() && text_[at_] != ',' && text_[at_] != '\n') field += text_[at_++];
        if (field.ends_with('\r') && (done() || text_[at_] == '\n')) field.pop_back();
      }
      if (done()) return record;
      if (text_[at_++] == '\n') {
        ++line_;
        return record;
      }
    }
  }

 private:
  Status quoted_field(std::string& field) {
    const std::uint32_t begin = line_;
    for (++at_;; ++at_) {
      if (done())
        return fail(ErrorCode::kFormat, "{}:{}: expected a closing quote, got the end of the file",
                    file_.path, begin);
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        field += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        field += '"';
        ++at_;
      } else {
        break;
      }
    }
    ++at_;
    if (!done() && text_[at_] == '\r') ++at_;
    if (!done() && text_[at_] != ',' && text_[at_] != '\n')
      return fail(ErrorCode::kFormat, "{}:{}: expected a comma after the closing quote, got {}",
                  file_.path, line_, shown(text_.substr(at_, 8)));
    return {};
  }

  const TextFile& file_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace

Result<std::vector<CsvRecord>> parse_csv(const TextFile& file) {
  std::vector<CsvRecord> records;
  Reader reader(file);
  while (!reader.done()) {
    EDGELM_TRY_ASSIGN(CsvRecord record, reader.record());
    if (record.fields.size() == 1 && record.fields[0].empty()) continue;
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace edgelm::quality
